//! The address of a job store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::database::{self, DatabaseUrl};
use super::redacted::Redacted;
use super::values::Invalid;

/// Where jobs are kept.
///
/// ```
/// use paceline::config::JobStoreUrl;
///
/// let url: JobStoreUrl = "redis://:hunter2@cache.example.com/2".parse()?;
/// assert_eq!(url.to_string(), "redis://cache.example.com/2");
/// # Ok::<(), paceline::config::InvalidJobStoreUrl>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobStoreUrl {
    /// A SQLite file of its own: `sqlite:jobs.db`.
    Sqlite(PathBuf),
    /// A Redis server with BullMQ's layout: `redis://` or, over TLS, `rediss://`; with `+sentinel` or `+cluster`
    /// the one that sentinels know, or a cluster.
    Redis(Redacted<String>),
}

/// The text is not the address of a job store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidJobStoreUrl(Invalid);

impl fmt::Display for InvalidJobStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0.expected)?;
        match &self.0.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidJobStoreUrl {}

impl FromStr for JobStoreUrl {
    type Err = InvalidJobStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(InvalidJobStoreUrl)
    }
}

/// Without user and password.
impl fmt::Display for JobStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Redis(url) => {
                let (scheme, rest) = url.expose().split_once("://").unwrap_or_default();
                let (authority, path) = split_authority(rest);
                let host = authority.rsplit('@').next().unwrap_or_default();
                // Parameters may hold a password too.
                let path = path.split(['?', '#']).next().unwrap_or_default();
                write!(f, "{scheme}://{host}{path}")
            }
        }
    }
}

impl JobStoreUrl {
    /// The same, a file's path relative to `folder`.
    pub(super) fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(folder.join(path)),
            Self::Redis(url) => Self::Redis(url),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<JobStoreUrl, Invalid> {
    let expected =
        "the address of a job store, such as \"sqlite:jobs.db\" or \"redis://127.0.0.1:6379\"";
    let invalid = Invalid::expected(expected);
    match text.split_once("://") {
        Some((scheme, rest)) if is_redis(scheme) => {
            let (authority, _) = split_authority(rest);
            let host = authority.rsplit('@').next().unwrap_or_default();
            if host.is_empty() || host.starts_with(':') || text.contains(char::is_whitespace) {
                return Err(invalid);
            }
            Ok(JobStoreUrl::Redis(Redacted::new(text.to_owned())))
        }
        Some(("postgres" | "postgresql" | "mysql" | "mariadb", _)) => {
            Err(invalid.because("PostgreSQL and MySQL hold jobs with a later version"))
        }
        _ if text
            .split_once(':')
            .is_some_and(|(scheme, _)| is_redis(scheme)) =>
        {
            Err(invalid)
        }
        _ => match database::parse(text) {
            Ok(DatabaseUrl::Sqlite(path)) => Ok(JobStoreUrl::Sqlite(path)),
            Ok(
                DatabaseUrl::Postgres(_)
                | DatabaseUrl::Neon(_)
                | DatabaseUrl::MySql(_)
                | DatabaseUrl::PlanetScale(_),
            ) => Err(invalid),
            Err(Invalid { suggestion, .. }) => Err(Invalid {
                suggestion,
                ..invalid
            }),
        },
    }
}

fn is_redis(scheme: &str) -> bool {
    let base = match scheme.split_once('+') {
        Some((base, "cluster" | "sentinel")) => base,
        Some(_) => return false,
        None => scheme,
    };
    matches!(base, "redis" | "rediss")
}

/// Where the host ends: a password may hold anything but these.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn stores_are_files_or_redis() {
        let redis = |url: &str| Ok(JobStoreUrl::Redis(Redacted::new(url.to_owned())));
        let file = |path: &str| Ok(JobStoreUrl::Sqlite(path.into()));
        check(parse, "sqlite:jobs.db", file("jobs.db"));
        check(parse, "jobs.db", Err(Some("sqlite:jobs.db")));
        check(parse, "redis://h", redis("redis://h"));
        check(parse, "rediss://u:p@h:1/2", redis("rediss://u:p@h:1/2"));
        check(parse, "redis://[::1]:6379", redis("redis://[::1]:6379"));
        for several in ["redis+sentinel://a:1,b:2/main/3", "rediss+cluster://:p@a,b"] {
            check(parse, several, redis(several));
        }
        for bad in [
            "redis:",
            "redis+sentinel:",
            "redis+other://h",
            "redis://",
            "redis://u@",
            "redis://:6379",
            "http://h",
            "",
        ] {
            check(parse, bad, Err(None));
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://u:p%40@h:1/2", "redis://h:1/2"),
            ("rediss://:a@b@h", "rediss://h"),
            ("redis://h/0?password=p", "redis://h/0"),
            (
                "redis+sentinel://u:p@a:1,b:2/main?sentinel_password=p",
                "redis+sentinel://a:1,b:2/main",
            ),
            ("sqlite:a.db", "sqlite:a.db"),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), shown);
        }
    }
}
