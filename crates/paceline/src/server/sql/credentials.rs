//! Who may send statements.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use subtle::{Choice, ConstantTimeEq};

use crate::config::Sql;

/// The whole address that a driver was given, password and all.
pub(super) const CONNECTION_STRING: HeaderName = HeaderName::from_static("neon-connection-string");

/// What is known of those who may: hashes, so that comparing takes as long for every guess.
pub(super) struct Credentials {
    /// Drawn anew at each start: what is compared cannot be computed outside.
    key: [u8; 32],
    login: Option<(blake3::Hash, blake3::Hash)>,
    token: Option<blake3::Hash>,
}

/// A request of nobody who may.
#[derive(Debug)]
pub(super) struct Refused {
    /// What the client is told.
    pub(super) why: &'static str,
    /// Whether a password or a token was given.
    pub(super) is_guess: bool,
}

impl Refused {
    fn guess(why: &'static str) -> Self {
        let is_guess = true;
        Self { why, is_guess }
    }
}

impl Credentials {
    pub(super) fn new(settings: &Sql) -> Self {
        let mut key = [0; 32];
        // Without randomness the comparison still takes the same time; only the hashes are then the plain ones.
        let _ = getrandom::fill(&mut key);
        let hash = |text: &str| blake3::keyed_hash(&key, text.as_bytes());
        Self {
            login: settings
                .login
                .as_ref()
                .map(|login| (hash(&login.user), hash(login.password.expose()))),
            token: settings.token.as_ref().map(|token| hash(token.expose())),
            key,
        }
    }

    /// Whether the headers hold the token, or a connection string with the user and the password.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let text = value.to_str().unwrap_or_default();
            let token = text.strip_prefix("Bearer ").unwrap_or_default();
            let is_right = self.token.is_some_and(|hash| self.is(token, hash).into());
            return if is_right {
                Ok(())
            } else {
                Err(Refused::guess("the token is not the one of [sql]"))
            };
        }
        let Some(value) = headers.get(CONNECTION_STRING) else {
            return Err(Refused {
                why: "there is neither a Neon-Connection-String nor an Authorization header",
                is_guess: false,
            });
        };
        let given = value.to_str().ok().and_then(user_and_password);
        let (user, password) = given.unwrap_or_default();
        let is_right = self
            .login
            .is_some_and(|(expected_user, expected_password)| {
                // Both are compared, whatever the first one says.
                let both = self.is(&user, expected_user) & self.is(&password, expected_password);
                both.into()
            });
        if is_right {
            Ok(())
        } else {
            Err(Refused::guess(
                "user and password of the connection string are not those of [sql]",
            ))
        }
    }

    fn is(&self, text: &str, expected: blake3::Hash) -> Choice {
        let hash = blake3::keyed_hash(&self.key, text.as_bytes());
        hash.as_bytes().ct_eq(expected.as_bytes())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("login", &self.login.is_some())
            .field("token", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

/// What stands before the host of an address; host, database and parameters are not looked at.
fn user_and_password(address: &str) -> Option<(String, String)> {
    let rest = address
        .strip_prefix("postgres://")
        .or_else(|| address.strip_prefix("postgresql://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (credentials, _) = authority.rsplit_once('@')?;
    let (user, password) = credentials.split_once(':')?;
    let decoded = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    Some((decoded(user)?, decoded(password)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_stand_before_the_host() {
        let check = |address: &str, expected: Option<(&str, &str)>| {
            let found = user_and_password(address);
            let expected = expected.map(|(user, password)| (user.into(), password.into()));
            assert_eq!(found, expected, "{address}");
        };
        let both = Some(("app", "hunter2"));
        check("postgres://app:hunter2@db.localtest.me/main", both);
        check(
            "postgresql://app:hunter2@h/d?application_name=pkg:npm/%40neondatabase/serverless@1.2.0",
            both,
        );
        check("postgres://app:h%40%2F@h", Some(("app", "h@/")));
        check("postgres://app@h/d", None);
        check("postgres://h/d?user=app:x@y", None);
        check("mysql://app:hunter2@h", None);
    }
}
