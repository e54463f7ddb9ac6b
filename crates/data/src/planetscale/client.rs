//! The client: one database, its connections and its sessions.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use super::address::Address;
use super::error::PlanetScaleError;
use super::rows::Rows;
use super::session::{PlanetScaleSession, Repeat};
use super::statistics::{ClientStatistics, Counted};
use super::transaction::Transaction;
use crate::mysql::connect::session::is_utc;
use crate::pool::{Clock as _, Moment, SystemClock};
use crate::postgres::connect::TlsSetUpError;
use crate::vendor_http::{HttpClient, HttpOptions, tls_settings};

/// How long a session that lies ready is used again. It costs a request to make another.
const KEPT: Duration = Duration::from_mins(5);

/// Bounds of a client.
#[derive(Debug, Clone, Copy)]
pub struct ClientOptions {
    /// Connections kept for the next request. Default: 16.
    pub max_connections: usize,
    /// Sessions kept for the next statement. Default: 16.
    pub max_sessions: usize,
    /// The largest answer that is read, in bytes. Default: 64 MiB.
    pub max_answer: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            max_sessions: 16,
            max_answer: 64 * 1024 * 1024,
        }
    }
}

/// Asks one database. Clones share its connections and sessions.
#[derive(Clone)]
pub struct PlanetScaleClient(Arc<Inner>);

pub(super) struct Inner {
    pub(super) http: HttpClient,
    pub(super) server: String,
    pub(super) headers: HeaderMap,
    pub(super) counted: Counted,
    address: Address,
    options: ClientOptions,
    kept: Mutex<Vec<(Box<RawValue>, Moment)>>,
}

impl PlanetScaleClient {
    /// For the database at this address. Nothing is asked yet.
    ///
    /// # Errors
    /// When there are no authorities to trust.
    pub fn new(address: Address, options: ClientOptions) -> Result<Self, TlsSetUpError> {
        let origin = address.origin.clone();
        let tls = origin
            .secure
            .then(|| tls_settings(address.ca_file()))
            .transpose()?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization(&address));
        let http = HttpOptions {
            max_kept: options.max_connections,
            max_answer: options.max_answer,
        };
        Ok(Self(Arc::new(Inner {
            server: origin.to_string(),
            http: HttpClient::new(origin, tls, http),
            headers,
            counted: Counted::default(),
            address,
            options,
            kept: Mutex::default(),
        })))
    }

    /// Which database is asked.
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// A session: one that lies ready, or a new one, which is asked first how it reads text.
    ///
    /// # Errors
    /// [`PlanetScaleError`]: no answer by `deadline`, a session that reads text in another way than values are written
    /// in, or another database than the address names.
    pub async fn session(&self, deadline: Instant) -> Result<PlanetScaleSession, PlanetScaleError> {
        match self.0.take() {
            Some(state) => Ok(PlanetScaleSession::resume(self.clone(), state)),
            None => PlanetScaleSession::begin(self.clone(), deadline).await,
        }
    }

    /// Runs one statement on any session.
    ///
    /// # Errors
    /// [`PlanetScaleError`].
    pub async fn execute(
        &self,
        sql: &str,
        repeat: Repeat,
        deadline: Instant,
    ) -> Result<Rows, PlanetScaleError> {
        let mut session = self.session(deadline).await?;
        session.execute(sql, repeat, deadline).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`PlanetScaleError`].
    pub async fn begin(&self, deadline: Instant) -> Result<Transaction, PlanetScaleError> {
        Transaction::begin(self.session(deadline).await?, deadline).await
    }

    /// What it has done so far.
    pub fn statistics(&self) -> ClientStatistics {
        self.0.counted.read(self.0.kept().len())
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl Inner {
    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Box<RawValue>, Moment)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session used last, unless it lay there for too long.
    fn take(&self) -> Option<Box<RawValue>> {
        let now = SystemClock.now();
        let mut kept = self.kept();
        match kept.pop() {
            Some((state, since)) if now.since(since) < KEPT && now.skew(since) < KEPT => {
                Some(state)
            }
            Some(_) => {
                // The others lie there for longer.
                kept.clear();
                None
            }
            None => None,
        }
    }

    pub(super) fn keep(&self, state: Box<RawValue>) {
        let mut kept = self.kept();
        if kept.len() < self.options.max_sessions {
            kept.push((state, SystemClock.now()));
        }
    }

    /// Judges a new session by what it says of itself.
    pub(super) fn judge(&self, facts: &Rows) -> Result<(), PlanetScaleError> {
        let mut found = Vec::new();
        facts
            .each(|row| {
                let text = |index| {
                    let sent = row.sent(index).unwrap_or_default();
                    String::from_utf8_lossy(sent).into_owned()
                };
                found.extend((0..row.columns()).map(text));
                Ok::<(), serde_json::Error>(())
            })
            .map_err(|error| PlanetScaleError::unreadable(&self.server, error))?;
        let problem = problem(&found, self.address.database());
        if let Some(problem) = problem {
            return Err(PlanetScaleError::session(&self.server, problem));
        }
        self.counted.session();
        Ok(())
    }
}

/// User and password, in a header that shows itself nowhere.
fn authorization(address: &Address) -> HeaderValue {
    let credentials = format!("{}:{}", address.user, address.password.expose());
    let credentials = format!("Basic {}", STANDARD.encode(credentials));
    let mut header = HeaderValue::try_from(credentials).expect("base64 is made of such characters");
    header.set_sensitive(true);
    header
}

/// Why a session cannot be used. `found` are its mode, its three character sets, its time zone and that of the system,
/// and its database.
fn problem(found: &[String], wanted: Option<&str>) -> Option<String> {
    let [mode, charsets @ .., zone, system_zone, database] = found else {
        return Some("it does not say how it reads text".to_owned());
    };
    let escapes = mode
        .split(',')
        .any(|word| word.eq_ignore_ascii_case("NO_BACKSLASH_ESCAPES"));
    if escapes {
        return Some(
            "its sql_mode has NO_BACKSLASH_ESCAPES, under which values cannot be written safely: take it out".to_owned(),
        );
    }
    if let Some(other) = charsets.iter().find(|charset| *charset != "utf8mb4") {
        return Some(format!(
            "its character set is {other:?}, and values are written in utf8mb4"
        ));
    }
    if !is_utc(zone, system_zone) {
        return Some(format!(
            "its time zone is {zone:?}, and moments are read in UTC: set it to '+00:00'"
        ));
    }
    match wanted {
        Some(wanted) if wanted != database => Some(format!(
            "the password belongs to the database {database:?}, and the address names {wanted:?}"
        )),
        _ => None,
    }
}

impl fmt::Debug for PlanetScaleClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlanetScaleClient")
            .field(&self.0.address)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_read_text_in_another_way_are_not_used() {
        let check = |found: [&str; 5], wanted: Option<&str>, about: Option<&str>| {
            let [mode, client, connection, results, database] = found;
            let found = [mode, client, connection, results, "SYSTEM", "UTC", database];
            let found = found.map(str::to_owned);
            match (problem(&found, wanted), about) {
                (None, None) => {}
                (Some(problem), Some(about)) => assert!(problem.contains(about), "{problem}"),
                (problem, about) => panic!("{found:?}: {problem:?}, not {about:?}"),
            }
        };
        let [strict, utf8] = ["STRICT_TRANS_TABLES", "utf8mb4"];
        check([strict, utf8, utf8, utf8, "shop"], Some("shop"), None);
        check([strict, utf8, utf8, utf8, "shop"], None, None);
        check(
            [strict, utf8, utf8, utf8, "shop"],
            Some("other"),
            Some("\"other\""),
        );
        check(
            ["ANSI,NO_BACKSLASH_ESCAPES", utf8, utf8, utf8, "shop"],
            None,
            Some("NO_BACKSLASH_ESCAPES"),
        );
        check([strict, "gbk", utf8, utf8, "shop"], None, Some("gbk"));
        check([strict, utf8, utf8, "latin1", "shop"], None, Some("latin1"));
        assert!(problem(&[], None).is_some());
        let elsewhere = [strict, utf8, utf8, utf8, "SYSTEM", "CET", "shop"].map(str::to_owned);
        assert!(problem(&elsewhere, None).unwrap().contains("UTC"));
    }
}
