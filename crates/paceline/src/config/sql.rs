//! `[sql]`: statements over HTTP, as Neon's drivers send them.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use paceline_data::postgres::connect::{Address, InvalidAddress};

use super::mistake::Mistake;
use super::reader::Section;
use super::redacted::Redacted;
use super::values::{self, Invalid};

/// Tokens shorter than this can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Guesses of a client unless the configuration says otherwise.
const MAX_GUESSES: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// `[sql]`: a listener on which whoever has its password or token sends any statement that its role may run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sql {
    /// Where it answers, apart from the API and the metrics. Default `127.0.0.1:8082`.
    pub listen: SocketAddr,
    /// The database, and the role whose rights statements have. No default.
    pub url: Box<Address>,
    /// The user and the password that a connection string must hold. Default none: then the token is asked for.
    pub login: Option<SqlLogin>,
    /// The token that `Authorization: Bearer` must hold. Default none.
    pub token: Option<Redacted<String>>,
    /// How many wrong passwords or tokens a client address may send at once; further requests of it are answered with
    /// 429. Default 10.
    pub max_guesses: NonZeroU32,
    /// In how long the address gets that many back, evenly. Default 10 min.
    pub guess_window: Duration,
    /// How long the statements of a request may take together. Default 10 s.
    pub statement_timeout: Duration,
    /// How many requests run at once. Default: what fits the place, one on Lambda.
    pub connections: Option<NonZeroUsize>,
    /// The largest request body in bytes; a larger one is answered with 413. Default 10 MiB.
    pub max_request: usize,
    /// The largest answer in bytes; a larger one is answered with 507. Default 10 MiB.
    pub max_response: usize,
    /// The most rows of an answer; more are answered with 507. Default 100,000.
    pub max_rows: usize,
    /// The origins whose pages may use it; `*` for all. Default none.
    pub allowed_origins: Vec<String>,
}

/// The user and the password that a connection string must hold. Not those of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqlLogin {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Redacted<String>,
}

pub(super) fn sql(section: &Section<'_, '_>) -> Option<Sql> {
    let listen = section.parsed("listen", values::address);
    let url = section.required("url", url);
    let user = section.parsed("user", values::name);
    let password = section.secret("password", |text| values::name(text).map(Redacted::new));
    let token = section.secret("token", token);
    let max_guesses = section.integer32("max_guesses", 1..=1_000_000);
    let guess_window = section.parsed("guess_window", super::limits::window);
    let timeout = section.parsed("statement_timeout", values::positive_duration);
    let number = |key, most| {
        let number = section.integer(key, 1..=most)?;
        usize::try_from(number).ok()
    };
    let connections = number("connections", 1000).and_then(NonZeroUsize::new);
    let max_rows = number("max_rows", u32::MAX.into());
    let max_request = section.parsed("max_request", size);
    let max_response = section.parsed("max_response", size);
    let allowed_origins = section.list("allowed_origins", origin);
    if let Some(origins) = &allowed_origins
        && origins.len() > 1
        && origins.iter().any(|origin| origin == "*")
    {
        let span = section.reader.span(&section.key("allowed_origins"));
        let message = "`allowed_origins` names some, and `*` beside them".to_owned();
        let mistake = Mistake::new(span, message);
        section
            .reader
            .report(mistake.expected("[\"*\"], or only those that may"));
    }
    let named = [section.has("user"), section.has("password")];
    if named[0] != named[1] {
        // The line holds the password, or it does not matter.
        let (there, missing) = if named[0] {
            ("user", "password")
        } else {
            ("password", "user")
        };
        let span = section.reader.span(&section.key(there));
        let message = format!("`{there}` needs a `{missing}`");
        let mistake = Mistake::new(span, message);
        section
            .reader
            .report(mistake.expected("both, or none").concealed(true));
    } else if !named[0] && !section.has("token") {
        let message = "[sql] would run statements of everybody".to_owned();
        let mistake = Mistake::new(section.span.clone(), message);
        section
            .reader
            .report(mistake.expected("`user` and `password`, or a `token`"));
    }
    section.finish();
    Some(Sql {
        listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8082))),
        url: url?,
        login: user
            .zip(password)
            .map(|(user, password)| SqlLogin { user, password }),
        token,
        max_guesses: max_guesses.and_then(NonZeroU32::new).unwrap_or(MAX_GUESSES),
        guess_window: guess_window.unwrap_or(Duration::from_mins(10)),
        statement_timeout: timeout.unwrap_or(Duration::from_secs(10)),
        connections,
        max_request: max_request.unwrap_or(10 << 20),
        max_response: max_response.unwrap_or(10 << 20),
        max_rows: max_rows.unwrap_or(100_000),
        allowed_origins: allowed_origins.unwrap_or_default(),
    })
}

fn url(text: &str) -> Result<Box<Address>, Invalid> {
    match text.parse() {
        Ok(address) => Ok(Box::new(address)),
        // The error never shows a password; the text may hold one.
        Err(error) => Err(Invalid::expected(
            "the address of a database, such as \"postgres://role@host/shop\"",
        )
        .because(InvalidAddress::to_string(&error))
        .concealed()),
    }
}

fn token(text: &str) -> Result<Redacted<String>, Invalid> {
    let is_sendable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() < SHORTEST_TOKEN || !is_sendable {
        return Err(Invalid::expected(format!(
            "at least {SHORTEST_TOKEN} characters that can stand in a header: letters, digits, signs"
        )));
    }
    Ok(Redacted::new(text.to_owned()))
}

fn size(text: &str) -> Result<usize, Invalid> {
    match values::size(text)? {
        0 => Err(Invalid::expected(
            "a size larger than zero, such as \"10MiB\"",
        )),
        size => Ok(size),
    }
}

fn origin(text: &str) -> Result<String, Invalid> {
    if text == "*" || paceline_http::cors::Origin::new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(Invalid::expected(
        "an origin such as \"https://app.example.com\", or \"*\" alone for all",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn origins_and_tokens() {
        for fine in ["*", "https://app.example.com", "http://localhost:3000"] {
            check(origin, fine, Ok(fine.to_owned()));
        }
        for wrong in ["app.example.com", "https://a/", "https://A.example", ""] {
            check(origin, wrong, Err(None));
        }
        check(token, "too short", Err(None));
        check(token, "long enough but spaced", Err(None));
    }
}
