//! Sends statements.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::address::NeonAddress;
use super::error::{NeonError, NeonRefusal};
use super::query::NeonQuery;
use super::result::NeonResult;
use super::wake::{self, Said};
use crate::postgres::connect::TlsSetUpError;
use crate::postgres::text::{Isolation, Transaction};
use crate::vendor_http::{HttpClient, HttpOptions, Post, Reply, tls_settings};

/// Connections kept for the next statement.
const KEPT: usize = 16;

/// The largest answer that is read: the interface gives 10 MiB.
const MOST: usize = 11 << 20;

const CONNECTION_STRING: HeaderName = HeaderName::from_static("neon-connection-string");
const RAW_TEXT: HeaderName = HeaderName::from_static("neon-raw-text-output");
const ARRAY_MODE: HeaderName = HeaderName::from_static("neon-array-mode");
const ISOLATION: HeaderName = HeaderName::from_static("neon-batch-isolation-level");
const READ_ONLY: HeaderName = HeaderName::from_static("neon-batch-read-only");
const DEFERRABLE: HeaderName = HeaderName::from_static("neon-batch-deferrable");

/// A client of one database over HTTP. Clones share its connections. `Debug` shows no password.
#[derive(Clone)]
pub struct NeonClient {
    address: NeonAddress,
    http: HttpClient,
    headers: HeaderMap,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<NeonResult>,
}

#[derive(Serialize)]
struct Batch<'a> {
    queries: &'a [NeonQuery],
}

fn body(asked: &impl Serialize) -> Bytes {
    serde_json::to_vec(asked).expect("texts are JSON").into()
}

impl NeonClient {
    /// For the database at this address. Nothing is connected to yet; certificates are read.
    ///
    /// # Errors
    /// When there are no certificates to check the endpoint's by.
    ///
    /// # Panics
    /// Never: what an address holds can stand in a header once it is escaped.
    pub fn new(address: NeonAddress) -> Result<Self, TlsSetUpError> {
        let origin = address.origin();
        let tls = if origin.secure {
            Some(tls_settings(address.ca_file.as_deref())?)
        } else {
            None
        };
        let mut login = HeaderValue::try_from(address.connection_string())
            .expect("everything but plain ASCII is escaped");
        // Neither `Debug` nor a log shows it.
        login.set_sensitive(true);
        let yes = HeaderValue::from_static("true");
        let headers = HeaderMap::from_iter([
            (CONNECTION_STRING, login),
            (RAW_TEXT, yes.clone()),
            (ARRAY_MODE, yes),
        ]);
        let options = HttpOptions {
            max_kept: KEPT,
            max_answer: MOST,
        };
        Ok(Self {
            http: HttpClient::new(origin, tls, options),
            address,
            headers,
        })
    }

    /// Where statements are sent.
    pub fn address(&self) -> &NeonAddress {
        &self.address
    }

    /// Sends a statement that changes nothing: it may be carried out twice, so it is sent again when a connection is
    /// lost or the database was not there.
    ///
    /// # Errors
    /// [`NeonError`].
    pub async fn read(
        &self,
        query: &NeonQuery,
        deadline: Instant,
    ) -> Result<NeonResult, NeonError> {
        self.one(query, true, deadline).await
    }

    /// Sends a statement once. It is sent again only when it cannot have been carried out.
    ///
    /// # Errors
    /// [`NeonError`]; whether it was carried out is not known after [`NeonError::Http`] and [`NeonError::Status`].
    pub async fn execute(
        &self,
        query: &NeonQuery,
        deadline: Instant,
    ) -> Result<NeonResult, NeonError> {
        self.one(query, false, deadline).await
    }

    /// Sends statements as one transaction, once: all of them are carried out, or none.
    ///
    /// # Errors
    /// [`NeonError`]; whether they were carried out is not known after [`NeonError::Http`] and [`NeonError::Status`].
    pub async fn batch(
        &self,
        queries: &[NeonQuery],
        transaction: Transaction,
        deadline: Instant,
    ) -> Result<Vec<NeonResult>, NeonError> {
        let body = body(&Batch { queries });
        let mut headers = self.headers.clone();
        headers.extend(of(transaction));
        let reads = transaction.read_only == Some(true);
        let Results { results } = self.send(body, headers, reads, deadline).await?;
        if results.len() != queries.len() || !results.iter().all(NeonResult::is_sound) {
            return Err(NeonError::Protocol(None));
        }
        Ok(results)
    }

    async fn one(
        &self,
        query: &NeonQuery,
        reads: bool,
        deadline: Instant,
    ) -> Result<NeonResult, NeonError> {
        let body = body(query);
        let headers = self.headers.clone();
        let result: NeonResult = self.send(body, headers, reads, deadline).await?;
        if !result.is_sound() {
            return Err(NeonError::Protocol(None));
        }
        Ok(result)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        body: Bytes,
        headers: HeaderMap,
        reads: bool,
        deadline: Instant,
    ) -> Result<T, NeonError> {
        let post = Post {
            path: NeonAddress::path().to_owned(),
            headers,
            body,
            twice: reads,
        };
        let mut attempts = 0;
        loop {
            attempts += 1;
            let reply = self.http.post(&post, deadline).await;
            let reply = reply.map_err(|error| {
                if error.is_too_large() {
                    NeonError::TooLarge
                } else {
                    NeonError::Http(error)
                }
            })?;
            let (error, said) = match judge(&reply) {
                Ok(()) => {
                    let read = serde_json::from_slice(&reply.body);
                    return read.map_err(|error| NeonError::Protocol(Some(error)));
                }
                Err(refused) => refused,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match wake::wait(said, reads, attempts, left, random()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }
}

/// What an answer without results means.
fn judge(reply: &Reply) -> Result<(), (NeonError, Said)> {
    let status = reply.status.as_u16();
    match status {
        200 => Ok(()),
        507 => Err((NeonError::TooLarge, Said::Final)),
        _ => {
            let refusal = serde_json::from_slice::<NeonRefusal>(&reply.body).ok();
            let code = refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
            let message = refusal.as_ref().map(|refusal| refusal.message.as_str());
            let said = wake::said(status, code, message.unwrap_or_default());
            let error = match refusal {
                Some(refusal) if status == 400 => NeonError::Refused(Box::new(refusal)),
                _ => NeonError::Status(status),
            };
            Err((error, said))
        }
    }
}

/// The headers of a batch.
fn of(transaction: Transaction) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let isolation = transaction.isolation.map(|isolation| match isolation {
        Isolation::ReadUncommitted => "ReadUncommitted",
        Isolation::ReadCommitted => "ReadCommitted",
        Isolation::RepeatableRead => "RepeatableRead",
        Isolation::Serializable => "Serializable",
    });
    let text = |flag: bool| if flag { "true" } else { "false" };
    let told = [
        (ISOLATION, isolation),
        (READ_ONLY, transaction.read_only.map(text)),
        (DEFERRABLE, transaction.deferrable.map(text)),
    ];
    told.into_iter()
        .filter_map(|(name, value)| Some((name, HeaderValue::from_static(value?))))
}

impl fmt::Debug for NeonClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeonClient")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Evenly in 0..1. Only spreads load: the middle will do where the system has no randomness to give.
fn random() -> f64 {
    let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}
