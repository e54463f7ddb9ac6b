//! `[database]`: which database is served, and how it is read.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::reader::Section;
use super::values::{self, Invalid};

/// `[database]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Database {
    /// The database. No default.
    pub url: DatabaseUrl,
    /// Threads that run queries. Default: one per processor.
    pub read_connections: NonZeroUsize,
    /// A query that takes longer is stopped and answered with 503. Default 5 s.
    pub query_timeout: Duration,
}

impl Database {
    /// The database at `url`, everything else by default.
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            read_connections: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            query_timeout: Duration::from_secs(5),
        }
    }
}

/// The address of a database.
///
/// `sqlite:` and the path of a file; `sqlite://` before the path is taken too. Everything after the
/// scheme is the path, as it is: nothing is decoded.
///
/// ```
/// use paceline::config::DatabaseUrl;
///
/// let url: DatabaseUrl = "sqlite:my.db".parse()?;
/// assert_eq!(url, DatabaseUrl::Sqlite("my.db".into()));
/// assert!("postgres://localhost/shop".parse::<DatabaseUrl>().is_err());
/// # Ok::<(), paceline::config::InvalidDatabaseUrl>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
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
    /// The path of the file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Sqlite(path) => path,
        }
    }

    fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(folder.join(path)),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
    let invalid = Invalid::expected("the address of a SQLite file, such as \"sqlite:shop.db\"");
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
        "postgres" | "postgresql" => Err(invalid.because("PostgreSQL comes with a later version")),
        "mysql" | "mariadb" => Err(invalid.because("MySQL and MariaDB come with a later version")),
        _ => Err(invalid),
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

pub(super) fn database(section: &Section<'_, '_>, folder: &Path) -> Option<Database> {
    let url = url(section, folder);
    let threads = section.integer("read_connections", 1..=256);
    let timeout = section.parsed("query_timeout", values::positive_duration);
    section.finish();
    let usual = Database::new(url?);
    Some(Database {
        read_connections: threads
            .and_then(|threads| NonZeroUsize::new(usize::try_from(threads).ok()?))
            .unwrap_or(usual.read_connections),
        query_timeout: timeout.unwrap_or(usual.query_timeout),
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
    fn refusals_say_why() {
        let refused = |text: &str| text.parse::<DatabaseUrl>().unwrap_err().to_string();
        assert_eq!(
            refused("postgres://u:secret@h/db"),
            "expected the address of a SQLite file, such as \"sqlite:shop.db\"; \
             PostgreSQL comes with a later version"
        );
        assert!(refused("mysql://h/db").ends_with("come with a later version"));
        assert!(refused("sqlite::memory:").ends_with("give a file"));
        assert!(refused("sqlite:a.db?mode=ro").ends_with("write \"sqlite:a.db\""));
    }
}
