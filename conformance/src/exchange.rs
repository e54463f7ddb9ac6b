//! One request and everything a client can see of its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::decode::{Decoded, decode};

/// How long an answer may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long text may take to be seen: less than the origin's pause.
const VISIBLE: Duration = Duration::from_millis(1_500);

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS, with prior knowledge.
    Http2,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As HTTP says that it is complete.
    Whole,
    /// It broke off.
    Broken,
    /// The client had seen enough.
    Left,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Bytes on the wire, less HTTP's own framing.
    pub(crate) raw: Vec<u8>,
    pub(crate) ended: Ended,
    /// `None`: the coding is not known.
    pub(crate) decoded: Option<Decoded>,
    /// Whether the text that was waited for came in time.
    pub(crate) seen: bool,
}

impl Observed {
    /// The lines of a field, joined; `None` when there is none.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// The content coding, `identity` when there is none.
    pub(crate) fn coding(&self) -> String {
        self.field("content-encoding")
            .map_or_else(|| "identity".to_owned(), |name| name.to_ascii_lowercase())
    }
}

/// Sends one request over a connection of its own. With `wait_for` it leaves when that text can be read, or when it
/// is too late.
///
/// # Errors
///
/// No connection, or no head of an answer.
pub(crate) async fn exchange(
    (address, protocol): (SocketAddr, Protocol),
    request: Request<Full<Bytes>>,
    wait_for: Option<&str>,
) -> Result<Observed, String> {
    let work = async {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        let (answered, connection) = match protocol {
            Protocol::Http1 => over_http1(stream, request).await,
            Protocol::Http2 => over_http2(stream, address, request).await,
        }
        .map_err(|error| format!("no answer: {error}"))?;
        let observed = read(answered, wait_for).await;
        connection.abort();
        Ok(observed)
    };
    let answered = tokio::time::timeout(PATIENCE, work).await;
    answered.unwrap_or_else(|_| Err(format!("no end of the answer within {PATIENCE:?}")))
}

/// An answer that has begun, and what drives its connection.
type Begun = (Response<Incoming>, JoinHandle<hyper::Result<()>>);

async fn over_http1(stream: TcpStream, request: Request<Full<Bytes>>) -> hyper::Result<Begun> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    Ok((sender.send_request(request).await?, connection))
}

/// The same with the target in `:authority` instead of `Host`.
async fn over_http2(
    stream: TcpStream,
    address: SocketAddr,
    mut request: Request<Full<Bytes>>,
) -> hyper::Result<Begun> {
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    request.headers_mut().remove("host");
    let path = request.uri().path_and_query().cloned();
    let target = Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")));
    *request.uri_mut() = target.build().expect("an address and a path");
    Ok((sender.send_request(request).await?, connection))
}

/// The body of a plain GET: for figures the origin tells about itself.
pub(crate) async fn text(
    (address, protocol): (SocketAddr, Protocol),
    uri: &Uri,
) -> Result<String, String> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .header("host", address.to_string())
        .body(Full::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    let observed = exchange((address, protocol), request, None).await?;
    let decoded = observed.decoded.unwrap_or_default();
    Ok(String::from_utf8_lossy(&decoded.data).trim().to_owned())
}

async fn read(response: Response<Incoming>, wait_for: Option<&str>) -> Observed {
    let start = Instant::now();
    let (parts, mut body) = response.into_parts();
    let mut observed = Observed {
        status: parts.status.as_u16(),
        headers: parts.headers,
        raw: Vec::new(),
        ended: Ended::Whole,
        decoded: None,
        seen: false,
    };
    let coding = observed.coding();
    loop {
        let left = match wait_for {
            None => PATIENCE,
            Some(_) => VISIBLE.saturating_sub(start.elapsed()),
        };
        let Ok(frame) = tokio::time::timeout(left, body.frame()).await else {
            observed.ended = Ended::Left;
            break;
        };
        match frame {
            None => break,
            Some(Err(_)) => {
                observed.ended = Ended::Broken;
                break;
            }
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    observed.raw.extend_from_slice(data);
                }
            }
        }
        if let Some(text) = wait_for
            && decode(&coding, &observed.raw).is_some_and(|decoded| contains(&decoded.data, text))
        {
            observed.seen = true;
            observed.ended = Ended::Left;
            break;
        }
    }
    observed.decoded = decode(&coding, &observed.raw);
    observed
}

fn contains(data: &[u8], text: &str) -> bool {
    data.windows(text.len())
        .any(|window| window == text.as_bytes())
}
