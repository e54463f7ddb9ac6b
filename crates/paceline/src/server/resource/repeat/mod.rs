//! Writes that may be sent again: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
//!
//! The key is claimed in the transaction of the write, and its answer is stored there: both are there, or neither. Of
//! two requests with one key the second waits at the claim until the first is over. A write that is refused leaves
//! nothing, not even its key.

mod table;

pub(crate) use table::schema;

use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use paceline_data::write::{Transaction, WriteError};
use paceline_data::{Principal, Value};
use paceline_http::problem::Problem;

use super::reply::Reply;
use crate::server::idempotency_key::{KEY_HEADER, idempotency_key};

/// How long an answer is kept, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

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
        let oldest = self.now - KEPT;
        match table::claim(
            transaction,
            (&self.key, &self.fingerprint),
            (self.now, oldest),
        ) {
            Ok(true) => Ok(Claim::New),
            Ok(false) => self.known(transaction),
            Err(WriteError::NoTable) => Ok(Claim::NoTable),
            // It was waited for in vain, or with others whom the server let go first.
            Err(WriteError::Run(error)) if error.is_timeout() || error.is_busy() => {
                Ok(Claim::InUse)
            }
            Err(error) => Err(error),
        }
    }

    fn known(&self, transaction: &mut dyn Transaction) -> Result<Claim, WriteError> {
        Ok(match table::stored(transaction, &self.key)? {
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

    /// Stores the answer beside the write, and removes some whose time is over. The last that is done in the
    /// transaction.
    pub(super) fn store(
        &self,
        transaction: &mut dyn Transaction,
        reply: &Reply,
    ) -> Result<(), WriteError> {
        table::store(transaction, &self.key, reply)?;
        table::remove_old(transaction, self.now - KEPT)
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

/// A digest of parts that keeps them apart.
fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().to_string()
}
