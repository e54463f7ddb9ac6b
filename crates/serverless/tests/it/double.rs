//! A double of the Runtime API: it hands out the events that a test gives, and keeps what is reported.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, mpsc};

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// An event to hand out.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) payload: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What was reported.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body came to its end, or broke off.
    pub(crate) is_whole: bool,
}

impl Report {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    reports: mpsc::UnboundedSender<Report>,
    /// Pieces of reports as they come in.
    pieces: mpsc::UnboundedSender<Bytes>,
    restored: Notify,
    refuses_first: AtomicBool,
    refused: AtomicU32,
    closes: AtomicBool,
}

pub(crate) struct Double {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    reports: mpsc::UnboundedReceiver<Report>,
    pieces: mpsc::UnboundedReceiver<Bytes>,
    shared: Arc<Shared>,
}

impl Double {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (events, given) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::unbounded_channel();
        let (piece, pieces) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(given),
            reports: report,
            pieces: piece,
            restored: Notify::new(),
            refuses_first: AtomicBool::new(false),
            refused: AtomicU32::new(0),
            closes: AtomicBool::new(false),
        });
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            events,
            reports,
            pieces,
            shared,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands out an event.
    pub(crate) fn give(&self, id: &str, payload: Value, headers: &[(&'static str, String)]) {
        let event = Event {
            id: id.to_owned(),
            payload,
            headers: headers.to_vec(),
        };
        self.events.send(event).expect("somebody asks");
    }

    /// The next report.
    pub(crate) async fn report(&mut self) -> Report {
        let report = tokio::time::timeout(PATIENCE, self.reports.recv()).await;
        report.expect("a report in time").expect("it runs")
    }

    /// The next piece of a report, before its end.
    pub(crate) async fn piece(&mut self) -> Bytes {
        let piece = tokio::time::timeout(PATIENCE, self.pieces.recv()).await;
        piece.expect("a piece in time").expect("it runs")
    }

    /// Gives an event and waits for what is reported of it.
    pub(crate) async fn ask(&mut self, id: &str, payload: Value) -> Report {
        self.give(id, payload, &[]);
        let report = self.report().await;
        assert!(report.path.contains(id), "{report:?}");
        report
    }

    /// Restores the snapshot.
    pub(crate) fn restore(&self) {
        self.shared.restored.notify_one();
    }

    /// The first worker that asks for an event is refused, for good.
    pub(crate) fn refuse_first_worker(&self) {
        self.shared.refuses_first.store(true, Ordering::SeqCst);
    }

    /// How often it was.
    pub(crate) fn refused(&self) -> u32 {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// Every connection is closed after one answer.
    pub(crate) fn close_connections(&self) {
        self.shared.closes.store(true, Ordering::SeqCst);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let is_refused = Arc::new(AtomicBool::new(false));
            let service = hyper::service::service_fn(|request| {
                answer(Arc::clone(&shared), Arc::clone(&is_refused), request)
            });
            // A report that breaks off ends the connection with an error.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    is_refused: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Full::default());
    match (request.method(), path.as_str()) {
        (&Method::GET, "/2018-06-01/runtime/invocation/next") => {
            if shared.refuses_first.swap(false, Ordering::SeqCst) {
                is_refused.store(true, Ordering::SeqCst);
            }
            if is_refused.load(Ordering::SeqCst) {
                shared.refused.fetch_add(1, Ordering::SeqCst);
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                return Ok(response);
            }
            let event = shared.events.lock().await.recv().await;
            response = next(&event.expect("the test goes on"));
        }
        (&Method::GET, "/2018-06-01/runtime/restore/next") => shared.restored.notified().await,
        (&Method::POST, "/2020-01-01/extension/register") => {
            let id = http::HeaderValue::from_static("0123");
            response
                .headers_mut()
                .insert("lambda-extension-identifier", id);
        }
        (&Method::GET, "/2020-01-01/extension/event/next") => std::future::pending().await,
        (&Method::POST, _) => {
            keep(&shared, request).await;
            *response.status_mut() = StatusCode::ACCEPTED;
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    if shared.closes.load(Ordering::SeqCst) {
        let close = http::HeaderValue::from_static("close");
        response
            .headers_mut()
            .insert(http::header::CONNECTION, close);
    }
    Ok(response)
}

fn next(event: &Event) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .header("lambda-runtime-aws-request-id", &event.id)
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:r:1:function:f",
        );
    for (name, value) in &event.headers {
        response = response.header(*name, value);
    }
    let payload = event.payload.to_string();
    response.body(Full::from(payload)).expect("an answer")
}

async fn keep(shared: &Shared, request: Request<Incoming>) {
    let (head, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.into_data().expect("no trailers");
                bytes.extend_from_slice(&data);
                let _ = shared.pieces.send(data);
            }
            Err(_) => is_whole = false,
        }
    }
    let _ = shared.reports.send(Report {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: bytes.into(),
        is_whole,
    });
}

/// A request of an HTTP API.
pub(crate) fn get(path: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"host": "api.example"},
        "requestContext": {"stage": "$default", "http": {"method": "GET", "sourceIp": "192.0.2.1"}}
    })
}

/// `Lambda-Runtime-Deadline-Ms` so far from now.
pub(crate) fn deadline_in(time: Duration) -> (&'static str, String) {
    let wall = std::time::SystemTime::now() + time;
    let since = wall
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    ("lambda-runtime-deadline-ms", since.as_millis().to_string())
}
