//! What tokens are signed with.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::NoCredentials;

/// How long before their end credentials are not used any more, where there are newer ones: a connection that begins
/// with them must still be able to.
const AHEAD: Duration = Duration::from_mins(5);

/// A key, and what proves it. `Debug` shows neither secret nor session token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) session: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Credentials that were given for a time.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    pub(super) credentials: Credentials,
    /// When they end; such without an end are asked for each time.
    ends: Option<Timestamp>,
}

/// How good credentials are that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// They are used.
    Fresh,
    /// They are used only where there are no newer ones to be had.
    Ending,
    /// They are not used.
    Over,
}

/// What the endpoints of containers and machines answer. `Debug` is not to be had: it holds the secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

impl Lent {
    /// What an endpoint answered. Its text is not told: a part of it may be a secret.
    pub(super) fn read(body: &[u8], from: &str) -> Result<Self, NoCredentials> {
        let unreadable = || NoCredentials::answer(from, "its answer holds no credentials");
        let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
        if answer.code.is_some_and(|code| code != "Success") {
            return Err(NoCredentials::answer(from, "it says that it has none"));
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let ends = answer.expiration.map(|text| text.parse::<Timestamp>());
        Ok(Self {
            credentials: Credentials {
                key_id: given(answer.access_key_id).ok_or_else(unreadable)?,
                secret: given(answer.secret_access_key).ok_or_else(unreadable)?,
                session: given(answer.token),
            },
            ends: ends
                .transpose()
                .map_err(|_| NoCredentials::answer(from, "it does not say when they end"))?,
        })
    }

    pub(super) fn age(&self, now: Timestamp) -> Age {
        match self.ends {
            None => Age::Over,
            Some(ends) if now >= ends => Age::Over,
            Some(ends) if now + AHEAD >= ends => Age::Ending,
            Some(_) => Age::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"hunter2","Token":"hunter3",
        "Expiration":"2026-11-26T01:00:00Z","RoleArn":"x"}"#;

    #[test]
    fn credentials_are_used_up_to_five_minutes_before_their_end() {
        let lent = Lent::read(ANSWER.as_bytes(), "x").unwrap();
        let check = |now: &str, expected: Age| {
            assert_eq!(lent.age(now.parse().unwrap()), expected, "{now}");
        };
        check("2026-11-26T00:54:59Z", Age::Fresh);
        check("2026-11-26T00:55:00Z", Age::Ending);
        check("2026-11-26T00:59:59Z", Age::Ending);
        check("2026-11-26T01:00:00Z", Age::Over);
        let endless = r#"{"AccessKeyId":"A","SecretAccessKey":"s"}"#;
        let endless = Lent::read(endless.as_bytes(), "x").unwrap();
        assert_eq!(endless.age(Timestamp::UNIX_EPOCH), Age::Over);
    }

    #[test]
    fn no_secret_is_shown_and_nothing_else_is_taken() {
        let lent = Lent::read(ANSWER.as_bytes(), "x").unwrap();
        assert_eq!(lent.credentials.secret, "hunter2");
        assert!(!format!("{lent:?}").contains("hunter"), "{lent:?}");
        for body in [
            "",
            "hunter2",
            "[]",
            r#"{"Code":"Failed","AccessKeyId":"A","SecretAccessKey":"hunter2"}"#,
            r#"{"AccessKeyId":"A","SecretAccessKey":""}"#,
            r#"{"AccessKeyId":"A","SecretAccessKey":"hunter2","Expiration":"soon"}"#,
            r#"{"code":"NoRole","message":"hunter2"}"#,
        ] {
            let error = Lent::read(body.as_bytes(), "the container").unwrap_err();
            let told = format!("{error:?} {error}");
            assert!(told.contains("the container"), "{told}");
            assert!(!told.contains("hunter"), "{told}");
        }
    }
}
