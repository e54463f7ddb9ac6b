//! Streams of rows through a real server: what a client on the other side of a socket sees and causes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use futures_core::Stream;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use paceline_http::problem::Problem;
use paceline_http::stream::rows::{Format, Rows};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[derive(Serialize)]
struct Row {
    id: usize,
    text: String,
}

/// Rows without end, of about a kilobyte each, or rows that fail at one of them.
struct Source {
    fails_at: Option<usize>,
    taken: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

impl Stream for Source {
    type Item = Result<Row, Problem>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let row = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        Poll::Ready(Some(if self.fails_at == Some(row) {
            Err(Problem::conflict("The table is locked."))
        } else {
            Ok(Row {
                id: row,
                text: "x".repeat(1_000),
            })
        }))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.dropped.notify_one();
    }
}

/// A server of one route, and what its source does.
struct Server {
    address: std::net::SocketAddr,
    taken: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

impl Server {
    async fn start(fails_at: Option<usize>) -> Self {
        let (taken, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let source = {
            let (taken, dropped) = (Arc::clone(&taken), Arc::clone(&dropped));
            move || Source {
                fails_at,
                taken: Arc::clone(&taken),
                dropped: Arc::clone(&dropped),
            }
        };
        let export = async move |State(()): State<()>, format: Format| -> Result<_, Problem> {
            let rows = Rows::new(source()).with_format(format);
            Ok(rows.respond().await?.into_response())
        };
        let app = Router::new().route("/", get(export)).with_state(());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            taken,
            dropped,
        }
    }

    async fn ask(&self, accept: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let request =
            format!("GET / HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        connection
    }
}

/// Trap 17: the last chunk, which says that the answer is whole, never comes.
#[tokio::test]
async fn trap_17_an_error_in_the_middle_breaks_the_chunked_transfer() {
    for accept in ["application/json", "application/x-ndjson", "text/csv"] {
        let server = Server::start(Some(500)).await;
        let mut answer = Vec::new();
        // The server may close the connection in one way or the other.
        let _ = server.ask(accept).await.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{accept}");
        assert!(text.contains("transfer-encoding: chunked\r\n"), "{accept}");
        // The server gives up what it has not written yet.
        assert!(
            text.len() > 100_000,
            "rows before the error arrive: {}",
            text.len()
        );
        assert!(!text.ends_with("0\r\n\r\n"), "{accept} looks whole");
    }
}

/// Trap 17 in HTTP/2: the stream is reset, never ended.
#[tokio::test]
async fn trap_17_an_error_in_the_middle_resets_the_stream() {
    let server = Server::start(Some(500)).await;
    let connection = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(connection))
        .await
        .unwrap();
    tokio::spawn(driver);
    let request = Request::get("http://x/")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut response = sender.send_request(request).await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    let mut bytes = 0;
    let broken = loop {
        match response.body_mut().frame().await {
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(broken)) => break broken,
            None => panic!("the stream ends after {bytes} bytes as if it were whole"),
        }
    };
    assert!(!broken.is_canceled(), "{broken}");
}

#[tokio::test]
async fn trap_17_an_error_in_the_first_row_is_a_problem_document() {
    let server = Server::start(Some(1)).await;
    let mut answer = String::new();
    let mut connection = server.ask("application/json").await;
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 409 Conflict\r\n"), "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json\r\n"),
        "{answer}"
    );
}

/// Trap 18: a client that leaves takes the source with it, and one that does not read holds it.
#[tokio::test]
async fn trap_18_a_client_that_leaves_ends_the_source_and_one_that_does_not_read_holds_it() {
    let server = Server::start(None).await;
    let mut connection = server.ask("application/x-ndjson").await;
    let mut some = [0; 4_096];
    connection.read_exact(&mut some).await.unwrap();
    // The server runs on this thread. Until the buffers of both sockets are full it goes on, then no more.
    let (mut before, mut idle) = (0, 0);
    while idle < 1_000 {
        tokio::task::yield_now().await;
        let taken = server.taken.load(Ordering::Relaxed);
        assert!(
            taken < 20_000,
            "{taken} rows of 1 KB for a client that read 4 KB"
        );
        idle = if taken == before { idle + 1 } else { 0 };
        before = taken;
    }
    drop(connection);
    server.dropped.notified().await;
    let end = server.taken.load(Ordering::Relaxed);
    tokio::task::yield_now().await;
    assert_eq!(server.taken.load(Ordering::Relaxed), end);
}
