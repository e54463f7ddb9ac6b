//! Places as clients meet them.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::rate_limit::PathPrefix;

fn layer(max: usize, queue: usize) -> ConcurrencyLimitLayer {
    ConcurrencyLimitLayer::new(NonZeroUsize::new(max).unwrap()).with_queue(queue)
}

fn request() -> Request<()> {
    Request::get("/export").body(()).unwrap()
}

/// Requests run until they are let go, one by one; what happened is counted.
#[derive(Clone, Debug)]
struct Work {
    go: Arc<Semaphore>,
    started: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Work {
    fn new() -> Self {
        Self {
            go: Arc::new(Semaphore::new(0)),
            started: Arc::default(),
            running: Arc::default(),
            most: Arc::default(),
        }
    }

    async fn run(self) -> Result<Response<Body>, Infallible> {
        self.started.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.go.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(Response::new(Body::from("done")))
    }

    fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }
}

macro_rules! service {
    ($layer:expr, $work:expr) => {{
        let work: Work = $work.clone();
        $layer.layer(service_fn(move |_: Request<()>| work.clone().run()))
    }};
}

/// Lets every other task run until nothing moves any more.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn beyond_the_places_and_the_queue_the_answer_is_503_at_once() {
    let work = Work::new();
    let service = service!(
        layer(2, 1).with_retry_after(Duration::from_millis(2_500)),
        work
    );
    let held: Vec<_> = (0..3)
        .map(|_| tokio::spawn(service.clone().oneshot(request())))
        .collect();
    settle().await;
    assert_eq!(work.started(), 2, "one waits");
    let shed = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(shed.status(), 503);
    assert_eq!(shed.headers()["retry-after"], "3");
    assert_eq!(shed.headers()["content-type"], "application/problem+json");
    let body = shed.into_body().collect().await.unwrap().to_bytes();
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["type"], REDUCED_CAPACITY);
    assert_eq!(document["code"], "unavailable");
    work.go.add_permits(3);
    for task in held {
        let response = task.await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "done");
    }
    assert_eq!(work.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn those_who_wait_run_in_the_order_they_came() {
    let (order, go) = (
        Arc::new(std::sync::Mutex::new(Vec::new())),
        Arc::new(Semaphore::new(0)),
    );
    let (seen, gate) = (Arc::clone(&order), Arc::clone(&go));
    let service = layer(1, 100).layer(service_fn(move |request: Request<()>| {
        let (seen, gate) = (Arc::clone(&seen), Arc::clone(&gate));
        async move {
            seen.lock().unwrap().push(request.uri().path().to_owned());
            gate.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    }));
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let request = Request::get(format!("/{number}")).body(()).unwrap();
            let mut service = service.clone();
            let future = service.call(request);
            tokio::spawn(async move { future.await.unwrap().status() })
        })
        .collect();
    settle().await;
    go.add_permits(20);
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let expected: Vec<String> = (0..20).map(|number| format!("/{number}")).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let work = Work::new();
    let service = service!(layer(1, 1), work);
    let running = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    let waiting = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    // Both places are taken.
    assert_eq!(
        service.clone().oneshot(request()).await.unwrap().status(),
        503
    );
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let next = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    assert_eq!(work.started(), 1, "the place in the queue is free again");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!(work.started(), 2, "the place to run went to who waited");
    work.go.add_permits(1);
    assert_eq!(next.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_that_leaves_when_its_turn_has_come_hands_it_on() {
    let work = Work::new();
    let service = service!(layer(1, 2), work);
    let running = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    let mut leaving = service.clone();
    let mut leaving = Box::pin(leaving.call(request()));
    assert!(futures_poll(leaving.as_mut()).await.is_none());
    let next = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    work.go.add_permits(1);
    drop(running.await.unwrap().unwrap());
    // The turn was given to a future that is never polled again.
    drop(leaving);
    settle().await;
    assert_eq!(work.started(), 2);
    work.go.add_permits(1);
    assert_eq!(next.await.unwrap().unwrap().status(), 200);
}

/// Polls once.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_place_is_held_until_the_body_is_sent() {
    let work = Work::new();
    work.go.add_permits(10);
    let service = service!(layer(1, 0), work);
    let first = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(
        service.clone().oneshot(request()).await.unwrap().status(),
        503
    );
    drop(first);
    let mut second = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(second.status(), 200, "the client left");
    while second.body_mut().frame().await.is_some() {}
    let third = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(third.status(), 200, "the body was sent");
    drop(second);
    assert_eq!(
        service.clone().oneshot(request()).await.unwrap().status(),
        503
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_patience() {
    let work = Work::new();
    let service = service!(layer(1, 1).with_patience(Duration::from_secs(2)), work);
    let running = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    let began = tokio::time::Instant::now();
    let waited = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(waited.status(), 503);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    work.go.add_permits(2);
    drop(running.await.unwrap().unwrap());
    assert_eq!(
        service.clone().oneshot(request()).await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn other_paths_are_not_bounded() {
    let work = Work::new();
    let service = service!(
        layer(1, 0).with_path(PathPrefix::new("/export").unwrap()),
        work
    );
    let running = tokio::spawn(service.clone().oneshot(request()));
    settle().await;
    assert_eq!(
        service.clone().oneshot(request()).await.unwrap().status(),
        503
    );
    work.go.add_permits(2);
    let elsewhere = Request::get("/posts").body(()).unwrap();
    assert_eq!(
        service.clone().oneshot(elsewhere).await.unwrap().status(),
        200
    );
    assert_eq!(running.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_concurrent_requests_never_more_than_the_places_run() {
    let work = Work::new();
    work.go.add_permits(2_000);
    let service = service!(layer(7, 2_000), work);
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let answer = service.clone().oneshot(request());
            // The body goes with the task: it holds the place.
            tokio::spawn(async move { answer.await.unwrap().status() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(work.started(), 1_000);
    assert!(work.most.load(Ordering::SeqCst) <= 7);
}

#[tokio::test]
async fn an_error_of_the_service_gives_the_place_back() {
    let service = layer(1, 0).layer(service_fn(async |_: Request<()>| {
        Err::<Response<Body>, _>("connection lost")
    }));
    for _ in 0..3 {
        let failed = service.clone().oneshot(request()).await;
        assert_eq!(failed.unwrap_err(), "connection lost");
    }
}
