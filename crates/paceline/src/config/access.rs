//! `[login]`.

use std::time::Duration;

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
