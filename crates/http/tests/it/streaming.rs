//! Compression of bodies that are made while they are sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use paceline_http::compression::{CompressionBody, CompressionLayer, CompressionPolicy};
use tower::{Layer, ServiceExt, service_fn};

use super::coding::{decode, decode_so_far, try_decode};

const CODINGS: [&str; 4] = ["deflate", "gzip", "br", "zstd"];

/// What the source does at each poll.
#[derive(Clone)]
enum Act {
    Send(Bytes),
    Pause,
    Break,
}

/// A body that plays a script. At a pause it stays until the client has received what was before it.
struct Source {
    acts: VecDeque<Act>,
    pauses_over: Arc<AtomicUsize>,
}

impl Body for Source {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if matches!(self.acts.front(), Some(Act::Pause)) {
            let over =
                self.pauses_over
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |over| {
                        over.checked_sub(1)
                    });
            if over.is_err() {
                return Poll::Pending;
            }
            self.acts.pop_front();
            return self.poll_frame(&mut Context::from_waker(Waker::noop()));
        }
        match self.acts.pop_front() {
            Some(Act::Send(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Act::Break) => Poll::Ready(Some(Err(io::Error::other("the database went away")))),
            Some(Act::Pause) | None => Poll::Ready(None),
        }
    }
}

fn send(text: impl Into<Bytes>) -> Act {
    Act::Send(text.into())
}

/// A client in the middle of an answer.
struct Client {
    body: CompressionBody<Source>,
    pauses_over: Arc<AtomicUsize>,
}

async fn open(content_type: &'static str, coding: &'static str, acts: &[Act]) -> Client {
    open_with(CompressionPolicy::new(), content_type, coding, acts).await
}

async fn open_with(
    policy: CompressionPolicy,
    content_type: &'static str,
    coding: &'static str,
    acts: &[Act],
) -> Client {
    let pauses_over = Arc::new(AtomicUsize::new(0));
    let (acts, over) = (
        acts.iter().cloned().collect::<VecDeque<_>>(),
        Arc::clone(&pauses_over),
    );
    let handler = service_fn(move |_: Request<()>| {
        let source = Source {
            acts: acts.clone(),
            pauses_over: Arc::clone(&over),
        };
        let response = Response::builder()
            .header("content-type", content_type)
            .body(source);
        async { Ok::<_, Infallible>(response.unwrap()) }
    });
    let request = Request::builder()
        .header("accept-encoding", coding)
        .body(())
        .unwrap();
    let response = CompressionLayer::new(policy)
        .layer(handler)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.headers()["content-encoding"], coding);
    assert!(!response.headers().contains_key("content-length"));
    Client {
        body: response.into_body(),
        pauses_over,
    }
}

impl Client {
    /// What arrives until the body has nothing more for now: the bytes, and whether it ended, broke or paused.
    async fn receive(&mut self) -> (Vec<u8>, &'static str) {
        let mut received = Vec::new();
        let end = poll_fn(|cx| {
            loop {
                match Pin::new(&mut self.body).poll_frame(cx) {
                    Poll::Pending => return Poll::Ready("paused"),
                    Poll::Ready(None) => return Poll::Ready("ended"),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready("broken"),
                    Poll::Ready(Some(Ok(frame))) => {
                        received.extend_from_slice(&frame.into_data().unwrap());
                    }
                }
            }
        })
        .await;
        self.pauses_over.fetch_add(1, Ordering::Relaxed);
        (received, end)
    }
}

#[tokio::test]
async fn trap_10_an_event_is_visible_as_soon_as_the_source_pauses() {
    let acts = [
        send("data: 1\n\n"),
        Act::Pause,
        Act::Pause,
        send(": heartbeat\n\n"),
        Act::Pause,
        send("data: 2\n\n"),
    ];
    for coding in CODINGS {
        let mut client = open("text/event-stream", coding, &acts).await;
        let (mut bytes, end) = client.receive().await;
        assert_eq!(
            (decode_so_far(coding, &bytes).as_slice(), end),
            (&b"data: 1\n\n"[..], "paused"),
            "{coding}"
        );
        let (more, end) = client.receive().await;
        assert_eq!(
            (more.len(), end),
            (0, "paused"),
            "{coding}: nothing new, nothing sent"
        );
        bytes.extend(client.receive().await.0);
        assert!(
            decode_so_far(coding, &bytes).ends_with(b": heartbeat\n\n"),
            "{coding}"
        );
        let (rest, end) = client.receive().await;
        bytes.extend(rest);
        assert_eq!(end, "ended");
        assert_eq!(
            decode(coding, &bytes),
            b"data: 1\n\n: heartbeat\n\ndata: 2\n\n",
            "{coding}"
        );
    }
}

#[tokio::test]
async fn trap_10_half_an_event_waits_for_its_other_half() {
    let acts = [
        send("data: 1\n\ndata: 2"),
        Act::Pause,
        send("\n\n"),
        Act::Pause,
    ];
    let mut client = open("text/event-stream", "gzip", &acts).await;
    assert_eq!(client.receive().await.0.len(), 0);
    let (bytes, _) = client.receive().await;
    assert_eq!(decode_so_far("gzip", &bytes), b"data: 1\n\ndata: 2\n\n");
}

#[tokio::test]
async fn trap_10_a_row_is_visible_as_soon_as_the_source_pauses() {
    for coding in CODINGS {
        let acts = [send("{\"id\":1}\n"), Act::Pause, send("{\"id\":2}\n")];
        let mut client = open("application/x-ndjson", coding, &acts).await;
        let (bytes, end) = client.receive().await;
        assert_eq!(
            (decode_so_far(coding, &bytes).as_slice(), end),
            (&b"{\"id\":1}\n"[..], "paused"),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn trap_10_a_long_export_decodes_whole_and_comes_in_large_frames() {
    let rows: Vec<u8> = (0..40_000)
        .flat_map(|id| format!("{{\"id\":{id},\"square\":{}}}\n", id * id).into_bytes())
        .collect();
    let acts: Vec<_> = rows
        .chunks(9_000)
        .map(|chunk| send(Bytes::copy_from_slice(chunk)))
        .collect();
    for coding in CODINGS {
        let mut client = open("application/x-ndjson", coding, &acts).await;
        let (mut bytes, mut end) = client.receive().await;
        while end == "paused" {
            let (more, next) = client.receive().await;
            bytes.extend(more);
            end = next;
        }
        assert_eq!(end, "ended");
        assert_eq!(decode(coding, &bytes), rows, "{coding}");
    }
}

#[tokio::test]
async fn trap_10_a_broken_source_breaks_the_encoded_stream_after_its_last_row() {
    for coding in CODINGS {
        let mut client = open(
            "application/x-ndjson",
            coding,
            &[send("{\"id\":1}\n"), Act::Break],
        )
        .await;
        let (bytes, end) = client.receive().await;
        assert_eq!(
            (decode_so_far(coding, &bytes).as_slice(), end),
            (&b"{\"id\":1}\n"[..], "broken"),
            "{coding}"
        );
        assert!(
            try_decode(coding, &bytes).is_err(),
            "{coding}: what was cut off must not look complete"
        );
    }
}

#[tokio::test]
async fn trap_10_a_stream_that_ends_empty_is_valid() {
    for coding in CODINGS {
        let (bytes, end) = open("application/x-ndjson", coding, &[])
            .await
            .receive()
            .await;
        assert_eq!(
            (decode(coding, &bytes).len(), end),
            (0, "ended"),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn trap_10_a_source_that_never_pauses_is_flushed_at_the_latency_bound() {
    let rows = [
        send("{\"id\":1}\n"),
        send("{\"id\":2}\n"),
        send("{\"id\":3}\n"),
    ];
    for (latency, expected) in [
        (Duration::ZERO, &b"{\"id\":1}\n"[..]),
        (Duration::MAX, b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n"),
    ] {
        for coding in CODINGS {
            let policy = CompressionPolicy::new().flush_latency(latency);
            let mut client = open_with(policy, "application/x-ndjson", coding, &rows).await;
            let first = client
                .body
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap();
            assert_eq!(
                decode_so_far(coding, &first),
                expected,
                "{coding} {latency:?}"
            );
        }
    }
}

#[tokio::test]
async fn trap_10_a_client_that_leaves_ends_the_source_and_what_it_has_is_readable() {
    let row = "{\"id\":1}\n";
    for coding in CODINGS {
        let acts = [send(row), Act::Pause, send(row)];
        let mut client = open("application/x-ndjson", coding, &acts).await;
        let (bytes, end) = client.receive().await;
        assert_eq!(end, "paused", "{coding}");
        assert_eq!(decode_so_far(coding, &bytes), row.as_bytes(), "{coding}");
        let Client { body, pauses_over } = client;
        assert_eq!(Arc::strong_count(&pauses_over), 2, "the source is held");
        drop(body);
        assert_eq!(Arc::strong_count(&pauses_over), 1, "{coding}");
    }
}
