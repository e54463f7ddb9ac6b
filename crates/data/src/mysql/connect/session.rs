//! What a session is like when it begins, and what must be set for answers to be right.

use mysql_async::{Row, from_value_opt};

use crate::sql::MySqlFlavor;

/// Asked once a connection, in one round trip.
pub(super) const FACTS: &str = "SELECT VERSION(), CONNECTION_ID(), @@session.time_zone, @@system_time_zone, \
     @@session.sql_mode, @@session.autocommit, @@session.character_set_client, @@session.character_set_results";

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The server's version, as it tells it.
    pub version: String,
    /// Which server.
    pub flavor: MySqlFlavor,
    /// The number the server itself has for the connection.
    pub connection_id: u64,
    /// Whether a backslash in quotes is one.
    pub(crate) no_backslash_escapes: bool,
    /// What had to be set: nothing on most servers that are looked after by somebody.
    pub settings: Option<String>,
}

impl Session {
    /// Reads the answer to [`FACTS`]; `None` when it is none.
    pub(super) fn of(row: &Row, writes: bool) -> Option<Self> {
        let text = |index: usize| from_value_opt::<String>(row.as_ref(index)?.clone()).ok();
        let version = text(0)?;
        let mode = text(4)?;
        let has = |name: &str| mode.split(',').any(|part| part == name);
        let zone = (text(2)?, text(3)?);
        let facts = Facts {
            is_utc: is_utc(&zone.0, &zone.1),
            is_strict: has("STRICT_ALL_TABLES") || has("STRICT_TRANS_TABLES"),
            commits: text(5)? == "1",
            is_utf8: [6, 7]
                .into_iter()
                .all(|index| text(index).as_deref() == Some("utf8mb4")),
        };
        Some(Self {
            flavor: flavor(&version),
            version,
            connection_id: text(1)?.parse().ok()?,
            no_backslash_escapes: has("NO_BACKSLASH_ESCAPES"),
            settings: facts.settings(writes),
        })
    }

    /// Whether the server is new enough, and if not what is wanted.
    pub(super) fn too_old(&self) -> Option<&'static str> {
        let mut numbers = self.version.split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next().and_then(|part| part.parse::<u32>().ok());
        let version = (number()?, number()?);
        match self.flavor {
            MySqlFlavor::MariaDb if version < (10, 5) => Some("MariaDB 10.5"),
            MySqlFlavor::MySql if version < (8, 0) => Some("MySQL 8.0.17"),
            _ => None,
        }
    }
}

pub(crate) fn flavor(version: &str) -> MySqlFlavor {
    if version.to_ascii_lowercase().contains("mariadb") {
        MySqlFlavor::MariaDb
    } else {
        MySqlFlavor::MySql
    }
}

/// Whether moments are read and written in UTC. A zone that only happens to agree now does not count.
pub(crate) fn is_utc(session: &str, system: &str) -> bool {
    let zone = if session == "SYSTEM" { system } else { session };
    matches!(zone, "UTC" | "Etc/UTC" | "+00:00" | "-00:00" | "Z")
}

#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Facts {
    is_utc: bool,
    is_strict: bool,
    commits: bool,
    is_utf8: bool,
}

impl Facts {
    /// One statement, or nothing.
    fn settings(self, writes: bool) -> Option<String> {
        let mut settings = Vec::new();
        if !self.is_utc {
            settings.push("time_zone = '+00:00'");
        }
        if !self.is_strict && writes {
            settings.push("sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')");
        }
        if !self.commits {
            settings.push("autocommit = 1");
        }
        if !self.is_utf8 {
            settings.push(
                "character_set_client = utf8mb4, character_set_connection = utf8mb4, character_set_results = utf8mb4",
            );
        }
        (!settings.is_empty()).then(|| format!("SET {}", settings.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_set() {
        let usual = Facts {
            is_utc: true,
            is_strict: true,
            commits: true,
            is_utf8: true,
        };
        assert_eq!(usual.settings(true), None);
        let lax = Facts {
            is_strict: false,
            ..usual
        };
        assert_eq!(lax.settings(false), None);
        let elsewhere = Facts {
            is_utc: false,
            ..lax
        };
        assert_eq!(
            elsewhere.settings(true).as_deref(),
            Some("SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
        );
    }

    #[test]
    fn zones_that_are_utc() {
        for (session, system, expected) in [
            ("SYSTEM", "UTC", true),
            ("+00:00", "CET", true),
            // In winter only.
            ("SYSTEM", "GMT", false),
            ("Europe/London", "UTC", false),
        ] {
            assert_eq!(is_utc(session, system), expected, "{session} {system}");
        }
    }

    #[test]
    fn servers_and_their_age() {
        let check = |version: &str, flavor: MySqlFlavor, too_old: bool| {
            let session = Session {
                version: version.to_owned(),
                flavor: super::flavor(version),
                connection_id: 1,
                no_backslash_escapes: false,
                settings: None,
            };
            assert_eq!(
                (session.flavor, session.too_old().is_some()),
                (flavor, too_old)
            );
        };
        check("10.11.19-MariaDB-0+deb12u1", MySqlFlavor::MariaDb, false);
        check("10.4.2-MariaDB", MySqlFlavor::MariaDb, true);
        check("8.0.36", MySqlFlavor::MySql, false);
        check("5.7.44-log", MySqlFlavor::MySql, true);
        check("8.0.11-TiDB-v7.5.0", MySqlFlavor::MySql, false);
    }
}
