//! A target of deliveries: a real HTTP server that notes what it gets and answers what the test says.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// One delivery as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Delivery {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the target answers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: &'static str,
    /// How long it takes.
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: "",
            after: Duration::ZERO,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }
}

type Answer = dyn Fn(&Delivery) -> Reply + Send + Sync;

#[derive(Clone)]
struct Target {
    answer: Arc<Answer>,
    told: Arc<Mutex<Sender<Delivery>>>,
}

/// A running target.
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) port: u16,
    received: Receiver<Delivery>,
}

impl Hook {
    /// Starts a target on a free port of 127.0.0.1; it runs as long as the test's process.
    pub(crate) fn start(answer: impl Fn(&Delivery) -> Reply + Send + Sync + 'static) -> Self {
        let (told, received) = channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let target = Target {
            answer: Arc::new(answer),
            told: Arc::new(Mutex::new(told)),
        };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let routes = Router::new().fallback(take).with_state(target);
                axum::serve(listener, routes).await.unwrap();
            });
        });
        Self {
            url: format!("http://127.0.0.1:{port}/hook"),
            port,
            received,
        }
    }

    /// The next delivery.
    #[track_caller]
    pub(crate) fn next(&self) -> Delivery {
        self.received
            .recv_timeout(Duration::from_secs(30))
            .expect("a delivery in time")
    }

    /// Everything that came in and was not read yet.
    pub(crate) fn rest(&self) -> Vec<Delivery> {
        self.received.try_iter().collect()
    }
}

async fn take(State(target): State<Target>, headers: HeaderMap, body: Bytes) -> Response {
    let delivery = Delivery {
        headers,
        body: body.to_vec(),
    };
    let reply = (target.answer)(&delivery);
    let _ = target.told.lock().unwrap().send(delivery);
    tokio::time::sleep(reply.after).await;
    let status = StatusCode::from_u16(reply.status).unwrap();
    let mut response = (status, reply.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}
