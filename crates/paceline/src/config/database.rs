//! `[database]`: which database is served, and how it is read.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use paceline_data::mysql::connect::Address as MySqlAddress;
use paceline_data::neon::{InvalidNeonAddress, NeonAddress};
use paceline_data::planetscale::Address as PlanetScaleAddress;
use paceline_data::postgres::connect::{Address, InvalidAddress};

use super::reader::Section;
use super::values::{self, Invalid};

/// `[database]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Database {
    /// The database. No default.
    pub url: DatabaseUrl,
    /// Where to listen for changes of tables, where `url` leads to a pooler. Default: `url`.
    pub listen_url: Option<Box<Address>>,
    /// Threads that read a SQLite file. Default: one per processor.
    pub read_connections: Option<NonZeroUsize>,
    /// A query that takes longer is stopped and answered with 503. Default 5 s.
    pub query_timeout: Duration,
    /// Whether integers beyond 2^53 - 1 are strings in JSON. Default: no, numbers with all their digits.
    pub big_integers_as_strings: bool,
}

impl Database {
    /// The database at `url`, everything else by default.
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            listen_url: None,
            read_connections: None,
            query_timeout: Duration::from_secs(5),
            big_integers_as_strings: false,
        }
    }
}

/// The address of a database.
///
/// `sqlite:` and the path of a file; `sqlite://` before the path is taken too. Everything after the
/// scheme is the path, as it is: nothing is decoded. `postgres://` and what [`Address`] says; `neon+https://` and what
/// [`NeonAddress`] says; `mysql://` or `mariadb://` and what [`MySqlAddress`] says; `planetscale://` and what
/// [`PlanetScaleAddress`] says.
///
/// A password is shown neither by `Display` nor by `Debug`.
///
/// ```
/// use paceline::config::DatabaseUrl;
///
/// let url: DatabaseUrl = "sqlite:my.db".parse()?;
/// assert_eq!(url, DatabaseUrl::Sqlite("my.db".into()));
/// let url: DatabaseUrl = "postgres://app:hunter2@localhost/shop".parse()?;
/// assert_eq!(url.to_string(), "postgres://app@localhost:5432/shop");
/// # Ok::<(), paceline::config::InvalidDatabaseUrl>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(Box<Address>),
    /// The same over HTTP.
    Neon(Box<NeonAddress>),
    /// A database on a MySQL or `MariaDB` server.
    MySql(Box<MySqlAddress>),
    /// A database at `PlanetScale`, asked over HTTP.
    PlanetScale(Box<PlanetScaleAddress>),
}

/// The text is not the address of a database that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDatabaseUrl(Invalid);

impl fmt::Display for InvalidDatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0.expected)?;
        match &self.0.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidDatabaseUrl {}

impl DatabaseUrl {
    /// The path, where it is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) | Self::Neon(_) | Self::MySql(_) | Self::PlanetScale(_) => None,
        }
    }

    fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(folder.join(path)),
            server
            @ (Self::Postgres(_) | Self::Neon(_) | Self::MySql(_) | Self::PlanetScale(_)) => server,
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
            Self::Neon(address) => address.fmt(f),
            Self::MySql(address) => address.fmt(f),
            Self::PlanetScale(address) => address.fmt(f),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(InvalidDatabaseUrl)
    }
}

pub(super) fn parse(text: &str) -> Result<DatabaseUrl, Invalid> {
    let invalid = Invalid::expected(
        "the address of a database, such as \"sqlite:shop.db\", \"postgres://user@host/shop\" or \"mysql://user@host/shop\"",
    );
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(if text.is_empty() || text.contains(char::is_whitespace) {
            invalid
        } else {
            invalid.instead(format!("sqlite:{text}"))
        });
    };
    match scheme {
        "sqlite" => sqlite(rest.strip_prefix("//").unwrap_or(rest), invalid),
        "sqlite3" | "file" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            Err(invalid.instead(format!("sqlite:{path}")))
        }
        "postgres" | "postgresql" => {
            server(text, invalid).map(|address| DatabaseUrl::Postgres(Box::new(address)))
        }
        "neon+https" | "neon+http" => neon(text, invalid),
        "mysql" | "mariadb" => {
            server(text, invalid).map(|address| DatabaseUrl::MySql(Box::new(address)))
        }
        "planetscale" => {
            server(text, invalid).map(|address| DatabaseUrl::PlanetScale(Box::new(address)))
        }
        _ => Err(invalid),
    }
}

fn server<A: FromStr<Err = InvalidAddress>>(text: &str, invalid: Invalid) -> Result<A, Invalid> {
    // The error never shows a password; the text may hold one.
    text.parse()
        .map_err(|error: InvalidAddress| invalid.because(error.to_string()).concealed())
}

fn neon(text: &str, invalid: Invalid) -> Result<DatabaseUrl, Invalid> {
    match text.parse() {
        Ok(address) => Ok(DatabaseUrl::Neon(Box::new(address))),
        Err(error) => Err(invalid
            .because(InvalidNeonAddress::to_string(&error))
            .concealed()),
    }
}

fn sqlite(path: &str, invalid: Invalid) -> Result<DatabaseUrl, Invalid> {
    if path == ":memory:" {
        return Err(invalid.because("a database in memory cannot be served: give a file"));
    }
    if let Some((file, _)) = path.split_once('?') {
        return Err(invalid.because(format!(
            "parameters after ? are not supported: write \"sqlite:{file}\""
        )));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(invalid);
    }
    Ok(DatabaseUrl::Sqlite(path.into()))
}

/// The URL of the key `url`, its path relative to `folder`.
pub(super) fn url(section: &Section<'_, '_>, folder: &Path) -> Option<DatabaseUrl> {
    section
        .required("url", parse)
        .map(|url| url.relative_to(folder))
}

/// The address of a server.
fn listen_address(text: &str) -> Result<Box<Address>, Invalid> {
    match parse(text) {
        Ok(DatabaseUrl::Postgres(address)) => Ok(address),
        Err(invalid) if text.starts_with("postgres") => Err(invalid),
        _ => Err(Invalid::expected(
            "the address of a PostgreSQL server, such as \"postgres://user@host/shop\"",
        )
        .concealed()),
    }
}

/// Whether they are strings.
fn big_integers(text: &str) -> Result<bool, Invalid> {
    match text {
        "number" => Ok(false),
        "string" => Ok(true),
        _ => Err(Invalid::expected("\"number\" or \"string\"")),
    }
}

pub(super) fn database(section: &Section<'_, '_>, folder: &Path) -> Option<Database> {
    let url = url(section, folder);
    let listen_url = section.parsed("listen_url", listen_address);
    let threads = section.integer("read_connections", 1..=256);
    let timeout = section.parsed("query_timeout", values::positive_duration);
    let strings = section.parsed("big_integers", big_integers);
    section.finish();
    let usual = Database::new(url?);
    Some(Database {
        listen_url,
        read_connections: threads
            .and_then(|threads| NonZeroUsize::new(usize::try_from(threads).ok()?)),
        query_timeout: timeout.unwrap_or(usual.query_timeout),
        big_integers_as_strings: strings.unwrap_or(usual.big_integers_as_strings),
        url: usual.url,
    })
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn urls() {
        let file = |path: &str| Ok(DatabaseUrl::Sqlite(path.into()));
        check(parse, "sqlite:shop.db", file("shop.db"));
        check(parse, "sqlite:a b/ñ.db", file("a b/ñ.db"));
        check(parse, "sqlite:///var/shop.db", file("/var/shop.db"));
        check(parse, "sqlite:/var/shop.db", file("/var/shop.db"));
        check(parse, "shop.db", Err(Some("sqlite:shop.db")));
        check(parse, "file:shop.db", Err(Some("sqlite:shop.db")));
        check(parse, "sqlite:", Err(None));
        check(parse, "redis://h", Err(None));
        check(parse, "", Err(None));
    }

    #[test]
    fn only_servers_are_listened_to() {
        assert!(listen_address("postgres://h/d").is_ok());
        check(listen_address, "sqlite:a.db", Err(None));
        let refused = listen_address("postgres://u:secret@h:port/d").unwrap_err();
        let why = "the port is not a number from 1 to 65535";
        assert_eq!(refused.suggestion.as_deref(), Some(why));
    }

    #[test]
    fn forms_of_big_integers() {
        check(big_integers, "number", Ok(false));
        check(big_integers, "string", Ok(true));
        check(big_integers, "strings", Err(None));
    }

    #[test]
    fn refusals_say_why() {
        let refused = |text: &str| text.parse::<DatabaseUrl>().unwrap_err().to_string();
        let bad = refused("postgres://u:secret@h:port/db");
        assert!(
            bad.ends_with("the port is not a number from 1 to 65535"),
            "{bad}"
        );
        assert!(!bad.contains("secret"));
        let bad = refused("mysql://u:secret@h:port/db");
        assert!(bad.ends_with("from 1 to 65535"), "{bad}");
        assert!(!bad.contains("secret"));
        assert!(refused("sqlite::memory:").ends_with("give a file"));
        assert!(refused("sqlite:a.db?mode=ro").ends_with("write \"sqlite:a.db\""));
    }
}
