//! `[login]` and `[[limits]]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Mistake;
use super::reader::Section;
use super::values;

/// `[login]`: the route that answers tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The route. Default `/api/auth/login`.
    pub path: String,
    /// The table of the users. Default `users`.
    pub table: String,
    /// The column that names a user. Default `email`.
    pub identity: String,
    /// The column with the argon2 hash (PHC string); NULL cannot log in. Default `password_hash`.
    pub password: String,
    /// The column whose value is the token's subject. Default `id`.
    pub subject: String,
    /// How long a token is good for. Default 15 min.
    pub token_lifetime: Duration,
}

/// `[[limits]]`: how many requests one client address may send in a fixed window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The name in the `RateLimit` headers; each limit has its own. No default.
    pub name: String,
    /// Requests below this path are counted. Default `/`.
    pub path: String,
    /// Requests in one window. No default.
    pub max: NonZeroU32,
    /// How long a window is. No default.
    pub window: Duration,
    /// Whether only requests answered with 400 or above count. Default false.
    pub skip_successful: bool,
    /// The `detail` of the 429. Default: a sentence of the server.
    pub message: Option<String>,
}

pub(super) fn login(section: &Section<'_, '_>) -> Login {
    let text = |key, usual: &str| {
        section
            .parsed(key, values::name)
            .unwrap_or_else(|| usual.to_owned())
    };
    let path = section.parsed("path", values::route);
    let lifetime = section.parsed("token_lifetime", values::positive_duration);
    let login = Login {
        path: path.unwrap_or_else(|| "/api/auth/login".to_owned()),
        table: text("table", "users"),
        identity: text("identity", "email"),
        password: text("password", "password_hash"),
        subject: text("subject", "id"),
        token_lifetime: lifetime.unwrap_or(Duration::from_mins(15)),
    };
    section.finish();
    login
}

pub(super) fn limits(sections: &[Section<'_, '_>]) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for section in sections {
        let name = section.required("name", token);
        let twice = name
            .as_ref()
            .is_some_and(|name| limits.iter().any(|other| other.name == *name));
        if let (Some(name), true) = (&name, twice) {
            let span = section.reader.span(&section.key("name"));
            let mistake = Mistake::new(span, format!("two limits are named {name:?}"));
            section
                .reader
                .report(mistake.expected("a name of its own for each limit"));
        }
        if !section.has("max") {
            section.missing("max");
        }
        let max = section
            .integer32("max", 1..=u32::MAX)
            .and_then(NonZeroU32::new);
        let window = section.required("window", values::positive_duration);
        let path = section.parsed("path", values::absolute_path);
        let skip_successful = section.boolean("skip_successful").unwrap_or(false);
        let message = section.parsed("message", values::name);
        section.finish();
        if let (Some(name), Some(max), Some(window)) = (name, max, window) {
            let path = path.unwrap_or_else(|| "/".to_owned());
            limits.push(Limit {
                name,
                path,
                max,
                window,
                skip_successful,
                message,
            });
        }
    }
    limits
}

/// A name that stands in a header as it is.
fn token(text: &str) -> Result<String, values::Invalid> {
    values::segment(text)
        .map_err(|_| values::Invalid::expected("a name of letters, digits, - . _ ~"))
}
