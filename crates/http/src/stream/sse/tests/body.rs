//! The stream on the wire, on a clock that stands still.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::super::{Broadcaster, Filter, Options, SseBody, SubscribeError, last_event_id};
use super::client::Client;
use super::{broadcaster, name};
use crate::problem::Problem;

fn open(broadcaster: &Broadcaster, last: Option<&str>) -> SseBody {
    broadcaster
        .subscribe(last, Filter::all())
        .unwrap()
        .into_body()
}

/// The frames that are ready now.
fn ready(body: &mut SseBody) -> Vec<Bytes> {
    let mut context = Context::from_waker(Waker::noop());
    let mut frames = Vec::new();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut *body).poll_frame(&mut context) {
        frames.push(frame.unwrap().into_data().unwrap());
    }
    frames
}

/// The next frame, waited for; `None` at the end.
async fn frame(body: &mut SseBody) -> Option<Bytes> {
    Some(body.frame().await?.unwrap().into_data().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_its_position_and_goes_on_with_events() {
    let broadcaster = broadcaster(10);
    broadcaster.publish(&name("n"), "before").unwrap();
    let mut body = open(&broadcaster, None);
    assert_eq!(ready(&mut body), ["id: 7-1\nretry: 3000\n\n"]);
    broadcaster.publish(&name("change"), "{\n}").unwrap();
    assert_eq!(
        ready(&mut body),
        ["id: 7-2\nevent: change\ndata: {\ndata: }\n\n"]
    );
    assert!(!body.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_together_is_one_frame_up_to_its_size() {
    let broadcaster = broadcaster(1_000);
    let mut body = open(&broadcaster, None);
    let _ = ready(&mut body);
    for _ in 0..100 {
        broadcaster.publish(&name("n"), "x".repeat(1_000)).unwrap();
    }
    let frames = ready(&mut body);
    assert_eq!(frames.len(), 4);
    let mut client = Client::default();
    for frame in &frames {
        assert!(frame.len() < 34 * 1_024, "{}", frame.len());
        client.read(frame);
    }
    assert_eq!(client.events.len(), 100);
    assert_eq!(client.last_id, "7-100");
}

/// A client that has to reset and is cut off before it knows must not come back with a good id.
#[tokio::test(start_paused = true)]
async fn a_reset_comes_with_the_id_it_is_for_and_no_id_before_it() {
    let broadcaster = broadcaster(2);
    let mut body = open(&broadcaster, Some("3-1"));
    let frames = ready(&mut body);
    assert_eq!(
        frames,
        [
            "retry: 3000\n\n",
            "id: 7-0\nevent: reset\ndata: {\"reason\":\"epoch\"}\n\n"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_sends_a_comment_every_15_seconds() {
    let broadcaster = broadcaster(10);
    let mut body = open(&broadcaster, None);
    let begin = Instant::now();
    let _ = frame(&mut body).await;
    for beat in 1..=3 {
        assert_eq!(frame(&mut body).await.unwrap(), ": \n\n");
        assert_eq!(begin.elapsed().as_secs(), beat * 15);
    }
    // An event puts the next comment off.
    tokio::time::advance(Duration::from_secs(10)).await;
    broadcaster.publish(&name("n"), "x").unwrap();
    assert!(frame(&mut body).await.unwrap().starts_with(b"id: 7-1"));
    assert_eq!(frame(&mut body).await.unwrap(), ": \n\n");
    assert_eq!(begin.elapsed().as_secs(), 70);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_moves_a_filtered_client_on() {
    let broadcaster = broadcaster(10);
    let filter = Filter::all().with_names([name("job")]);
    let mut body = broadcaster.subscribe(None, filter).unwrap().into_body();
    let _ = ready(&mut body);
    broadcaster.publish(&name("change"), "x").unwrap();
    assert_eq!(frame(&mut body).await.unwrap(), ": \nid: 7-1\n\n");
    assert_eq!(frame(&mut body).await.unwrap(), ": \n\n");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_the_end_of_its_life_idle_or_busy() {
    for busy in [false, true] {
        let options = Options::default().with_max_lifetime(Some(Duration::from_secs(40)));
        let broadcaster = Broadcaster::with_epoch(options, 7);
        let mut body = open(&broadcaster, None);
        let begin = Instant::now();
        while frame(&mut body).await.is_some() {
            if busy {
                tokio::time::advance(Duration::from_secs(4)).await;
                broadcaster.publish(&name("n"), "x").unwrap();
            }
        }
        assert_eq!(begin.elapsed().as_secs(), 40, "busy: {busy}");
        assert!(body.is_end_stream());
    }
}

#[tokio::test(start_paused = true)]
async fn draining_gives_each_client_a_time_of_its_own_to_come_back_after() {
    let broadcaster = broadcaster(10);
    let mut bodies: Vec<_> = (0..20).map(|_| open(&broadcaster, None)).collect();
    for body in &mut bodies {
        let _ = ready(body);
    }
    broadcaster.publish(&name("n"), "last").unwrap();
    broadcaster.drain();
    let mut times = std::collections::BTreeSet::new();
    for mut body in bodies {
        let mut client = Client::default();
        for frame in ready(&mut body) {
            client.read(&frame);
        }
        assert_eq!(client.events.len(), 1, "what was published still arrives");
        assert!(body.is_end_stream());
        times.insert(client.retry.unwrap());
    }
    assert!(times.len() > 15, "{times:?}");
    assert!(
        times.iter().all(|time| (3_000..6_000).contains(time)),
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_a_body_frees_its_place() {
    let broadcaster = broadcaster(10);
    let body = open(&broadcaster, None);
    assert_eq!(broadcaster.clients(), 1);
    drop(body);
    assert_eq!(broadcaster.clients(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_answer_says_what_it_is_and_that_it_is_not_to_be_held_back() {
    let response = open(&broadcaster(1), None).into_http_response();
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["x-accel-buffering"], "no");
}

/// A browser's `EventSource` never comes back after a 503.
#[tokio::test]
async fn a_client_that_is_refused_can_be_told_to_come_back() {
    let check = async |error: SubscribeError, expected: &[u8]| {
        let response = error.into_event_stream();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, expected);
        assert_eq!(Problem::from(error).status(), 503);
    };
    check(SubscribeError::Draining, b"retry: 5000\n\n").await;
    check(SubscribeError::Full { max_clients: 2 }, b"retry: 30000\n\n").await;
}

/// Whatever a user's text holds, it stays in its field: the client sees one event, with one name and one id.
#[tokio::test(start_paused = true)]
async fn carriage_returns_line_feeds_and_nul_in_user_data_forge_nothing() {
    for data in [
        "x\nid: 9-9\nevent: forged",
        "x\r\n\r\ndata: y",
        "x\r\rretry: 1",
        "\0\n\0",
        "\n\n",
        ": x",
    ] {
        let broadcaster = broadcaster(10);
        let mut body = open(&broadcaster, None);
        let _ = ready(&mut body);
        broadcaster.publish(&name("note"), data).unwrap();
        let mut client = Client::default();
        for frame in ready(&mut body) {
            client.read(&frame);
        }
        let [event] = client.events.as_slice() else {
            panic!("{data:?}: {client:?}")
        };
        assert_eq!(
            (event.id.as_str(), event.name.as_str()),
            ("7-1", "note"),
            "{data:?}"
        );
        assert_eq!(event.data, data.replace("\r\n", "\n").replace('\r', "\n"));
        assert_eq!(client.retry, None);
    }
}

#[test]
fn the_last_event_id_is_read_from_the_request_whatever_it_holds() {
    let check = |value: &[u8], expected: Option<&str>| {
        let mut headers = HeaderMap::new();
        headers.insert("last-event-id", HeaderValue::from_bytes(value).unwrap());
        assert_eq!(last_event_id(&headers).as_deref(), expected);
    };
    assert_eq!(last_event_id(&HeaderMap::new()), None);
    check(b"", None);
    check(b"7-1", Some("7-1"));
    check(b"\xff", Some("\u{fffd}"));
}

#[test]
fn an_idle_client_is_small() {
    assert!(size_of::<SseBody>() <= 192, "{}", size_of::<SseBody>());
}
