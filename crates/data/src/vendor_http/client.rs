//! One request and its answer.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
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

/// A request without a body that may be carried out twice: it is sent again after a connection was lost. Its `Debug`
/// does not show the headers.
#[derive(Clone)]
pub struct Fetch {
    /// `GET`, or what else is asked for.
    pub method: Method,
    /// The path and the query, from the first slash.
    pub path: Uri,
    /// Headers besides `Host`, `Content-Length` and `User-Agent`.
    pub headers: HeaderMap,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("method", &self.method)
            .field("path", &self.path)
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

/// A request on its way, its body cheap to copy.
type Outgoing = Request<Full<Bytes>>;

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
    ///
    /// # Panics
    /// Never: paths are made by this crate.
    pub async fn post(&self, post: &Post, deadline: Instant) -> Result<Reply, HttpError> {
        let mut request = Request::new(Full::new(post.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = post.path.parse().expect("paths are made by this crate");
        *request.headers_mut() = post.headers.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_LENGTH, post.body.len().into());
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        self.send(request, post.twice, deadline).await
    }

    /// The same without a body.
    ///
    /// # Errors
    /// Those of [`post`](Self::post).
    pub async fn fetch(&self, fetch: &Fetch, deadline: Instant) -> Result<Reply, HttpError> {
        let mut request = Request::new(Full::default());
        *request.method_mut() = fetch.method.clone();
        *request.uri_mut() = fetch.path.clone();
        *request.headers_mut() = fetch.headers.clone();
        self.send(request, true, deadline).await
    }

    async fn send(
        &self,
        mut request: Outgoing,
        twice: bool,
        deadline: Instant,
    ) -> Result<Reply, HttpError> {
        let authority = self.inner.origin.authority();
        let host = HeaderValue::from_str(&authority).expect("hosts were checked to be names");
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.attempt(&request, deadline).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(failure) = error.failure() else {
                return Err(error);
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match retry::wait(failure, attempts, twice, left, random()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, request: &Outgoing, deadline: Instant) -> Result<Reply, HttpError> {
        let inner = &*self.inner;
        let sender = if let Some(sender) = inner.kept.take() {
            sender
        } else {
            let until = deadline.min(Instant::now() + CONNECT);
            connect::open(&inner.origin, inner.tls.as_ref(), until).await?
        };
        let sent = AtomicBool::new(false);
        let exchange = self.exchange(sender, request, &sent);
        timeout_at(deadline.into(), exchange)
            .await
            .unwrap_or_else(|_| Err(HttpError::late(&inner.server, sent.load(Ordering::Relaxed))))
    }

    async fn exchange(
        &self,
        mut sender: Sender,
        request: &Outgoing,
        sent: &AtomicBool,
    ) -> Result<Reply, HttpError> {
        let server = &self.inner.server;
        let ready = poll_fn(|context| sender.poll_ready(context)).await;
        ready.map_err(|error| HttpError::unsent(server, error))?;
        sent.store(true, Ordering::Relaxed);
        let response = match sender.try_send_request(request.clone()).await {
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
