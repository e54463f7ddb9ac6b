//! What the facts mean: findings, and the configuration to use.

use std::time::Duration;

use super::super::connect::{Encryption, StatementMode};
use super::{Facts, Finding, Grade};
use crate::sql::MySqlFlavor;

/// The configuration that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// What to say the address leads to, as `pooler` in the configuration.
    pub pooler: &'static str,
    /// The statements that will be used then.
    pub statements: StatementMode,
}

/// The configuration for what was found: prepared statements only where they hold up nobody else.
pub fn advise(facts: &Facts) -> Advice {
    let pooler = if facts.is_rds_proxy {
        "rds-proxy"
    } else if facts.is_direct {
        "none"
    } else {
        "other"
    };
    let statements = if pooler == "none" && facts.prepares {
        StatementMode::Named
    } else {
        StatementMode::Unnamed
    };
    Advice { pooler, statements }
}

/// Everything there is to say, the most general first.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![what_it_is(facts), statements(facts), session(facts)];
    found.push(stopping(facts));
    found.push(encryption(facts));
    found.push(Finding::new(
        Grade::Fine,
        format!(
            "connecting takes {}, a round trip {}",
            short(facts.connect),
            short(facts.round_trip)
        ),
    ));
    found.extend(bounds(facts));
    found
}

fn what_it_is(facts: &Facts) -> Finding {
    let server = match facts.session.flavor {
        MySqlFlavor::MariaDb => "MariaDB",
        MySqlFlavor::MySql => "MySQL",
    };
    let version = &facts.session.version;
    if facts.is_rds_proxy {
        let text = format!("Amazon RDS Proxy before {server} {version}, as the host's name says");
        return Finding::new(Grade::Note, text);
    }
    if !facts.is_direct {
        let text = format!(
            "something that shares connections (ProxySQL, MaxScale, a proxy) before {server} {version}"
        );
        return Finding::new(Grade::Note, text);
    }
    match facts.session.flavor {
        MySqlFlavor::MariaDb => Finding::new(Grade::Fine, format!("{server} {version}, directly")),
        MySqlFlavor::MySql => Finding::new(
            Grade::Note,
            format!(
                "{server} {version}, directly: Paceline is tested on MariaDB; a row whose key the server makes by a \
                 default (not AUTO_INCREMENT) cannot be created"
            ),
        ),
    }
}

fn statements(facts: &Facts) -> Finding {
    match (advise(facts).statements, facts.prepares) {
        (StatementMode::Named, _) => Finding::new(Grade::Fine, "statements are prepared once"),
        (StatementMode::Unnamed, true) => Finding::new(
            Grade::Fine,
            "statements are sent with their values in the text: a prepared one would hold a connection of the server",
        ),
        (StatementMode::Unnamed, false) => Finding::new(
            Grade::Note,
            "prepared statements do not work here: they are sent with their values in the text",
        ),
    }
}

fn session(facts: &Facts) -> Finding {
    match (
        &facts.session.settings,
        facts.is_direct && !facts.is_rds_proxy,
    ) {
        (None, _) => Finding::new(
            Grade::Fine,
            "a session needs no setting: it is in UTC and utf8mb4",
        ),
        (Some(settings), true) => Finding::new(
            Grade::Fine,
            format!("each connection begins with {settings}"),
        ),
        (Some(settings), false) => Finding::new(
            Grade::Risk,
            format!(
                "each connection begins with {settings}, which holds a connection of the server: make it the server's default"
            ),
        ),
    }
}

fn stopping(facts: &Facts) -> Finding {
    match facts.kills {
        Some(true) => Finding::new(
            Grade::Fine,
            "the statement of a client who leaves is stopped (KILL QUERY)",
        ),
        Some(false) => Finding::new(
            Grade::Risk,
            "KILL QUERY does not stop a statement: that of a client who leaves runs to its end",
        ),
        None => Finding::new(
            Grade::Note,
            "statements cannot be stopped from here: that of a client who leaves runs until it has rows to send; \
             bound them on the server (max_statement_time, max_execution_time)",
        ),
    }
}

fn encryption(facts: &Facts) -> Finding {
    match &facts.encryption {
        Encryption::Verified(_) => Finding::new(
            Grade::Fine,
            "encrypted, and the server's certificate is checked",
        ),
        Encryption::None if facts.is_local => Finding::new(
            Grade::Fine,
            "not encrypted, and it does not leave this machine",
        ),
        Encryption::None => Finding::new(
            Grade::Risk,
            "not encrypted: anybody on the way can read the password and all rows; leave out ssl-mode=disabled",
        ),
        _ => Finding::new(
            Grade::Wrong,
            "insecure=true: the server's certificate is not looked at; name the file of its authority in ssl-ca",
        ),
    }
}

fn bounds(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.is_read_only {
        found.push(Finding::new(
            Grade::Note,
            "the server only reads: writes are refused",
        ));
    }
    if let Some(connections) = facts.max_connections {
        found.push(Finding::new(
            Grade::Fine,
            format!("the server takes {connections} connections: size x processes must stay below"),
        ));
    }
    if let Some(idle) = facts
        .wait_timeout
        .filter(|idle| *idle < Duration::from_mins(10))
    {
        found.push(Finding::new(
            Grade::Note,
            format!(
                "the server closes connections that lie for {}: make max_idle shorter",
                short(idle)
            ),
        ));
    }
    found
}

fn short(duration: Duration) -> String {
    if duration < Duration::from_millis(1) {
        format!("{} us", duration.as_micros())
    } else if duration < Duration::from_secs(1) {
        format!("{:.1} ms", duration.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::connect::Session;
    use super::*;

    fn facts() -> Facts {
        Facts {
            session: Session {
                version: "10.11.19-MariaDB".to_owned(),
                flavor: MySqlFlavor::MariaDb,
                connection_id: 7,
                no_backslash_escapes: false,
                settings: None,
            },
            is_direct: true,
            is_rds_proxy: false,
            is_read_only: false,
            encryption: Encryption::None,
            is_local: true,
            connect: Duration::from_millis(3),
            round_trip: Duration::from_micros(90),
            prepares: true,
            kills: Some(true),
            max_connections: Some(151),
            wait_timeout: Some(Duration::from_hours(8)),
        }
    }

    fn told(facts: &Facts, grade: Grade) -> String {
        let found = judge(facts).into_iter();
        let of_grade = found.filter(|found| found.grade == grade);
        of_grade
            .map(|found| found.text)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_server_next_door_is_fine() {
        let facts = facts();
        assert!(judge(&facts).iter().all(|found| found.grade == Grade::Fine));
        assert_eq!(advise(&facts).pooler, "none");
        assert_eq!(advise(&facts).statements, StatementMode::Named);
    }

    #[test]
    fn what_shares_connections_gets_no_prepared_statements_and_no_settings() {
        let facts = Facts {
            is_direct: false,
            is_rds_proxy: true,
            kills: None,
            session: Session {
                settings: Some("SET time_zone = '+00:00'".to_owned()),
                ..facts().session
            },
            ..facts()
        };
        assert_eq!(advise(&facts).pooler, "rds-proxy");
        assert_eq!(advise(&facts).statements, StatementMode::Unnamed);
        assert!(told(&facts, Grade::Risk).contains("make it the server's default"));
        assert!(told(&facts, Grade::Note).contains("cannot be stopped from here"));
    }

    #[test]
    fn what_others_may_read_is_told() {
        let open = Facts {
            is_local: false,
            ..facts()
        };
        assert!(told(&open, Grade::Risk).contains("not encrypted"));
        let blind = Facts {
            encryption: Encryption::Unverified,
            ..facts()
        };
        assert!(told(&blind, Grade::Wrong).contains("insecure=true"));
    }
}
