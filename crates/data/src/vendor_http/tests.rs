//! Against servers that behave badly.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What a server does with the request number n (from 0), having read it.
type Behaviour = fn(usize) -> Act;

enum Act {
    /// Answers with this body, and keeps the connection.
    Answer(&'static str),
    /// Closes the connection without a word.
    Close,
    /// Says nothing.
    Wait,
}

/// A server: its port, and how many requests it read.
struct Double {
    port: u16,
    requests: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Double {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let requests = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let counted = std::sync::Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour, std::sync::Arc::clone(&counted)));
            }
        });
        Self { port, requests }
    }

    fn client(&self, most: usize) -> HttpClient {
        let origin = Origin {
            secure: false,
            host: "127.0.0.1".to_owned(),
            port: self.port,
        };
        let options = HttpOptions {
            max_kept: 4,
            max_answer: most,
        };
        HttpClient::new(origin, None, options)
    }

    fn requests(&self) -> usize {
        self.requests.load(std::sync::atomic::Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    behaviour: Behaviour,
    counted: std::sync::Arc<std::sync::atomic::AtomicUsize>,
) {
    loop {
        let mut read = Vec::new();
        while !read.ends_with(b"{}") {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match behaviour(number) {
            Act::Answer(body) => {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Close => return,
            Act::Wait => std::future::pending().await,
        }
    }
}

fn post(twice: bool) -> Post {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer hunter2"));
    Post {
        path: "/sql".to_owned(),
        headers,
        body: Bytes::from_static(b"{}"),
        twice,
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test]
async fn connections_are_kept_and_answers_read_whole() {
    let double = Double::start(|_| Act::Answer("[1]")).await;
    let client = double.client(100);
    for _ in 0..3 {
        let reply = client.post(&post(false), soon()).await.expect("answered");
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, &b"[1]"[..]));
    }
    assert_eq!(double.requests(), 3);
}

#[tokio::test]
async fn what_left_is_not_sent_again_unless_it_may_be() {
    let double = Double::start(|number| match number {
        0 => Act::Close,
        _ => Act::Answer("[]"),
    })
    .await;
    let error = double.client(100).post(&post(false), soon()).await;
    let error = error.expect_err("it was lost");
    assert!(error.was_sent() && !error.is_connect(), "{error}");
    assert_eq!(double.requests(), 1);

    let double = Double::start(|number| match number {
        0 => Act::Close,
        _ => Act::Answer("[]"),
    })
    .await;
    let reply = double.client(100).post(&post(true), soon()).await;
    assert_eq!(reply.expect("the second one").body, b"[]");
    assert_eq!(double.requests(), 2);
}

#[tokio::test]
async fn waiting_ends_at_the_deadline_and_large_answers_are_not_read() {
    let double = Double::start(|_| Act::Wait).await;
    let until = Instant::now() + Duration::from_millis(200);
    let error = double.client(100).post(&post(true), until).await;
    let error = error.expect_err("nobody answers");
    assert!(error.is_late() && error.was_sent(), "{error}");

    let double = Double::start(|_| Act::Answer("0123456789")).await;
    let error = double.client(9).post(&post(true), soon()).await;
    assert!(error.expect_err("it is too large").is_too_large());
}

#[tokio::test]
async fn nobody_listening_is_tried_until_the_deadline_and_nothing_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let origin = Origin {
        secure: false,
        host: "127.0.0.1".to_owned(),
        port,
    };
    let options = HttpOptions {
        max_kept: 1,
        max_answer: 1,
    };
    let began = Instant::now();
    let client = HttpClient::new(origin, None, options);
    let until = began + Duration::from_millis(150);
    let error = client.post(&post(false), until).await;
    let error = error.expect_err("nobody listens");
    assert!(error.is_connect() && !error.was_sent(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", post(true));
    assert!(!shown.contains("hunter2"), "{shown}");
}
