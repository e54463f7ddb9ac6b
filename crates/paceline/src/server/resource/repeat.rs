//! Writes that may be sent again: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
//!
//! The key is claimed in the transaction of the write, and its answer is stored there: both are there, or neither. Of
//! two requests with one key the second waits at the claim until the first is over. A write that is refused leaves
//! nothing, not even its key.

use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use paceline_data::write::{Told, Transaction, WriteError};
use paceline_data::{Principal, SqlDialect, Statement, Value};
use paceline_http::problem::Problem;

use super::reply::Reply;
use crate::server::idempotency_key::{KEY_HEADER, idempotency_key};

/// How long an answer is kept, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// Answers whose time is over that are removed with each new one: more than one, so that they become fewer.
const REMOVED: i64 = 16;
/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Makes the table, on each engine.
pub(crate) fn schema(dialect: SqlDialect) -> [&'static str; 2] {
    let table = match dialect {
        SqlDialect::Postgres => {
            "CREATE TABLE IF NOT EXISTS paceline_idempotency (key text PRIMARY KEY, fingerprint text NOT NULL, \
             head text, body bytea, created_at bigint NOT NULL)"
        }
        _ => {
            "CREATE TABLE IF NOT EXISTS paceline_idempotency (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, \
             head TEXT, body BLOB, created_at INTEGER NOT NULL)"
        }
    };
    [
        table,
        "CREATE INDEX IF NOT EXISTS paceline_idempotency_age ON paceline_idempotency (created_at)",
    ]
}

/// A request that has a key.
#[derive(Debug, Clone)]
pub(super) struct Repeatable {
    /// Of caller, method, path and key.
    key: String,
    /// Of everything else that the answer depends on.
    fingerprint: String,
    now: i64,
}

/// How a claim ended.
#[derive(Debug)]
pub(super) enum Claim {
    /// Nobody had it: the write is to be done.
    New,
    /// It was done: this was the answer.
    Done(Reply),
    /// It was used for something else.
    Reused,
    /// Its request is still being answered.
    InUse,
    /// There is no table for it.
    NoTable,
    /// The transaction is sent whole, before there is an answer to keep.
    NotInteractive,
    /// Answers are not kept on this engine.
    Unsupported,
}

impl Repeatable {
    /// Reads the header; `None` without one. `body` is what was sent.
    pub(super) fn of(
        head: &Parts,
        caller: Option<&Principal>,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(key) = idempotency_key(&head.headers)? else {
            return Ok(None);
        };
        let parts = [
            caller.map_or("", Principal::as_str),
            head.method.as_str(),
            head.uri.path(),
            &key,
        ];
        Ok(Some(Self {
            key: digest(parts.iter().map(|part| part.as_bytes())),
            fingerprint: digest(
                [head.uri.query().unwrap_or_default().as_bytes(), body].into_iter(),
            ),
            now: jiff::Timestamp::now().as_millisecond(),
        }))
    }

    /// Claims the key.
    pub(super) fn claim(&self, transaction: &mut dyn Transaction) -> Result<Claim, WriteError> {
        let dialect = transaction.dialect();
        if matches!(dialect, SqlDialect::MySql(_)) {
            return Ok(Claim::Unsupported);
        }
        if dialect == SqlDialect::Sqlite {
            for sql in schema(dialect) {
                run(transaction, sql, Vec::new())?;
            }
        }
        let sql = match dialect {
            SqlDialect::Postgres => {
                "INSERT INTO paceline_idempotency AS held (key, fingerprint, created_at) \
                 VALUES ($1::text, $2::text, $3::int8) ON CONFLICT (key) DO UPDATE SET \
                 fingerprint = excluded.fingerprint, created_at = excluded.created_at, head = NULL, body = NULL \
                 WHERE held.created_at < $4::int8 RETURNING 1"
            }
            _ => {
                "INSERT INTO paceline_idempotency AS held (key, fingerprint, created_at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (key) DO UPDATE SET \
                 fingerprint = excluded.fingerprint, created_at = excluded.created_at, head = NULL, body = NULL \
                 WHERE held.created_at < ?4 RETURNING 1"
            }
        };
        let values = vec![
            Value::Text(self.key.clone()),
            Value::Text(self.fingerprint.clone()),
            Value::Integer(self.now),
            Value::Integer(self.now - KEPT),
        ];
        match run(transaction, sql, values) {
            Ok(rows) if rows.is_empty() => self.known(transaction),
            Ok(_) => {
                self.remove_old(transaction)?;
                Ok(Claim::New)
            }
            Err(WriteError::NoTable) => Ok(Claim::NoTable),
            Err(WriteError::Run(error)) if error.is_timeout() => Ok(Claim::InUse),
            Err(error) => Err(error),
        }
    }

    fn known(&self, transaction: &mut dyn Transaction) -> Result<Claim, WriteError> {
        let sql = match transaction.dialect() {
            SqlDialect::Postgres => {
                "SELECT fingerprint, head, body FROM paceline_idempotency WHERE key = $1::text"
            }
            _ => "SELECT fingerprint, head, body FROM paceline_idempotency WHERE key = ?1",
        };
        let mut rows = run(transaction, sql, vec![Value::Text(self.key.clone())])?;
        let row = rows.pop().and_then(|row| <[Value; 3]>::try_from(row).ok());
        Ok(match row {
            Some([Value::Text(fingerprint), _, _]) if fingerprint != self.fingerprint => {
                Claim::Reused
            }
            Some([_, Value::Text(head), body]) => {
                let body = match body {
                    Value::Blob(body) => body,
                    _ => Vec::new(),
                };
                Reply::kept(&head, body).map_or(Claim::InUse, Claim::Done)
            }
            // Somebody is between the claim and the answer, which no engine shows us, or removed the row just now.
            _ => Claim::InUse,
        })
    }

    fn remove_old(&self, transaction: &mut dyn Transaction) -> Result<(), WriteError> {
        let sql = match transaction.dialect() {
            SqlDialect::Postgres => {
                "DELETE FROM paceline_idempotency WHERE key IN (SELECT key FROM paceline_idempotency \
                 WHERE created_at < $1::int8 ORDER BY created_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED)"
            }
            _ => {
                "DELETE FROM paceline_idempotency WHERE key IN (SELECT key FROM paceline_idempotency \
                 WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)"
            }
        };
        let values = vec![Value::Integer(self.now - KEPT), Value::Integer(REMOVED)];
        run(transaction, sql, values).map(drop)
    }

    /// Stores the answer beside the write.
    pub(super) fn store(
        &self,
        transaction: &mut dyn Transaction,
        reply: &Reply,
    ) -> Result<(), WriteError> {
        let sql = match transaction.dialect() {
            SqlDialect::Postgres => {
                "UPDATE paceline_idempotency SET head = $2::text, body = $3::bytea WHERE key = $1::text"
            }
            _ => "UPDATE paceline_idempotency SET head = ?2, body = ?3 WHERE key = ?1",
        };
        let values = vec![
            Value::Text(self.key.clone()),
            Value::Text(reply.head()),
            Value::Blob(reply.body.clone()),
        ];
        run(transaction, sql, values).map(drop)
    }
}

impl Claim {
    /// The answer to a request that is not to be done; `None` for one that is.
    pub(super) fn into_reply(self) -> Option<Result<Reply, Problem>> {
        let refused = |status: StatusCode, code: &'static str, detail: &'static str| {
            Problem::new(status, code)
                .with_detail(detail)
                .with_request_header(&KEY_HEADER)
        };
        Some(match self {
            Self::New => return None,
            Self::Done(mut reply) => {
                reply
                    .headers
                    .insert(REPLAYED, HeaderValue::from_static("true"));
                Ok(reply)
            }
            Self::Reused => Err(refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key was used for another request. Use a new key for a new one.",
            )),
            Self::InUse => Err(refused(
                StatusCode::CONFLICT,
                "idempotency-key-in-use",
                "A request with this Idempotency-Key is being answered. Send it again in a second.",
            )
            .with_retry_after(std::time::Duration::from_secs(1))),
            Self::Unsupported => Err(refused(
                StatusCode::BAD_REQUEST,
                "idempotency-unavailable",
                "Answers are not kept on MySQL and MariaDB yet: send no Idempotency-Key.",
            )),
            Self::NotInteractive => Err(refused(
                StatusCode::BAD_REQUEST,
                "idempotency-unavailable",
                "Answers are not kept where the database is reached over HTTP: send no Idempotency-Key, but rows with \
                 keys of your own, or PUT with If-None-Match.",
            )),
            Self::NoTable => Err(refused(
                StatusCode::BAD_REQUEST,
                "idempotency-unavailable",
                "The database has no table for answers. `paceline migrate install-idempotency URL` makes it; \
                 without it, send no Idempotency-Key.",
            )),
        })
    }
}

fn run(
    transaction: &mut dyn Transaction,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Vec<Value>>, WriteError> {
    let statement = Statement {
        sql: sql.into(),
        values,
    };
    transaction.rows(&statement, &Told::default())
}

/// A digest of parts that keeps them apart.
fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().to_string()
}
