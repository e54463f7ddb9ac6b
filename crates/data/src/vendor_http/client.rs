//! One request and its answer.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use rustls::ClientConfig;
use tokio::time::{sleep, timeout_at};

use super::connect::{self, Sender};
use super::error::{CONNECT, HttpError};
use super::kept::Kept;
use super::origin::Origin;
use super::retry;

const AGENT: &str = concat!("paceline/", env!("CARGO_PKG_VERSION"));

/// How a server is asked.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    /// Connections kept for the next request.
    pub max_kept: usize,
    /// The largest answer that is read, in bytes.
    pub max_answer: usize,
}

/// A request. Its `Debug` shows neither headers nor body: both may hold secrets.
#[derive(Clone)]
pub struct Post {
    /// The path, from the first slash.
    pub path: String,
    /// Headers besides `Host`, `Content-Type`, `Content-Length` and `User-Agent`.
    pub headers: HeaderMap,
    /// JSON.
    pub body: Bytes,
    /// Whether the server may carry it out twice: it is then sent again after a connection was lost.
    pub twice: bool,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .field("twice", &self.twice)
            .finish_non_exhaustive()
    }
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Vec<u8>,
}

/// Asks one server. Clones share its connections.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    origin: Origin,
    server: String,
    tls: Option<Arc<ClientConfig>>,
    options: HttpOptions,
    kept: Kept,
}

impl HttpClient {
    /// For one server; `tls` from [`tls_settings`](super::tls_settings) where it is asked over TLS.
    pub fn new(origin: Origin, tls: Option<Arc<ClientConfig>>, options: HttpOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                server: origin.to_string(),
                origin,
                tls,
                options,
                kept: Kept::new(options.max_kept),
            }),
        }
    }

    /// Which server is asked.
    pub fn origin(&self) -> &Origin {
        &self.inner.origin
    }

    /// Sends a request and reads the answer, whatever its status. Dropping the future closes the connection.
    ///
    /// # Errors
    /// [`HttpError`] when there is no answer by `deadline`, or none that is small enough.
    pub async fn post(&self, post: &Post, deadline: Instant) -> Result<Reply, HttpError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.attempt(post, deadline).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(failure) = error.failure() else {
                return Err(error);
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match retry::wait(failure, attempts, post.twice, left, random()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, post: &Post, deadline: Instant) -> Result<Reply, HttpError> {
        let inner = &*self.inner;
        let sender = if let Some(sender) = inner.kept.take() {
            sender
        } else {
            let until = deadline.min(Instant::now() + CONNECT);
            connect::open(&inner.origin, inner.tls.as_ref(), until).await?
        };
        let sent = AtomicBool::new(false);
        let exchange = self.exchange(sender, post, &sent);
        timeout_at(deadline.into(), exchange)
            .await
            .unwrap_or_else(|_| Err(HttpError::late(&inner.server, sent.load(Ordering::Relaxed))))
    }

    async fn exchange(
        &self,
        mut sender: Sender,
        post: &Post,
        sent: &AtomicBool,
    ) -> Result<Reply, HttpError> {
        let server = &self.inner.server;
        let ready = poll_fn(|context| sender.poll_ready(context)).await;
        ready.map_err(|error| HttpError::unsent(server, error))?;
        sent.store(true, Ordering::Relaxed);
        let response = match sender.try_send_request(self.request(post)).await {
            Ok(response) => response,
            Err(mut refused) => {
                // It is handed back when nothing of it was written.
                let unsent = refused.take_message().is_some();
                let error = refused.into_error();
                return Err(if unsent {
                    HttpError::unsent(server, error)
                } else {
                    HttpError::lost(server, error)
                });
            }
        };
        let reply = self.read(response).await?;
        self.inner.kept.put(sender);
        Ok(reply)
    }

    fn request(&self, post: &Post) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(post.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = post.path.parse().expect("paths are made by this crate");
        let headers = request.headers_mut();
        *headers = post.headers.clone();
        let authority = self.inner.origin.authority();
        let host = HeaderValue::from_str(&authority).expect("hosts were checked to be names");
        headers.insert(HOST, host);
        headers.insert(CONTENT_LENGTH, post.body.len().into());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        request
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Reply, HttpError> {
        let server = &self.inner.server;
        let most = self.inner.options.max_answer;
        let (head, mut rest) = response.into_parts();
        let mut body = Vec::new();
        while let Some(frame) = rest.frame().await {
            let frame = frame.map_err(|error| HttpError::broken(server, error))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if data.len() > most - body.len() {
                return Err(HttpError::too_large(server, most));
            }
            body.extend_from_slice(&data);
        }
        Ok(Reply {
            status: head.status,
            body,
        })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("origin", &self.inner.origin)
            .finish_non_exhaustive()
    }
}

/// Evenly in 0..1. Only spreads load: the middle will do where the system has no randomness to give.
fn random() -> f64 {
    let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}
