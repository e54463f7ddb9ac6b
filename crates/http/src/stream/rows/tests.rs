//! Answers of rows, on a clock that stands still.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::time::Instant;

use super::*;
use crate::problem::Problem;

#[derive(Debug, Clone, Serialize)]
struct Row {
    id: u64,
    text: String,
}

fn row(id: u64) -> Row {
    Row {
        id,
        text: format!("row {id}"),
    }
}

enum Act {
    Row(Row),
    Fail,
    /// Nothing comes, and nobody wakes the reader.
    Pause,
}

/// A source that plays acts, counts what was taken, and tells when it is dropped.
struct Source {
    acts: VecDeque<Act>,
    taken: Arc<AtomicUsize>,
    alive: Arc<()>,
}

impl Source {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            acts: acts.into_iter().collect(),
            taken: Arc::default(),
            alive: Arc::default(),
        }
    }

    fn of(rows: u64) -> Self {
        Self::new((1..=rows).map(|id| Act::Row(row(id))))
    }
}

impl Stream for Source {
    type Item = Result<Row, Problem>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        match self.acts.pop_front() {
            Some(Act::Row(row)) => Poll::Ready(Some(Ok(row))),
            Some(Act::Fail) => Poll::Ready(Some(Err(Problem::conflict("The table is locked.")))),
            Some(Act::Pause) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

async fn open(source: Source, format: Format) -> http::Response<RowsBody<Source>> {
    let rows = Rows::new(source).with_format(format);
    rows.respond().await.unwrap()
}

async fn whole(rows: Rows<Source>) -> String {
    let body = rows.respond().await.unwrap().into_body();
    let bytes = body.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn poll(body: &mut RowsBody<Source>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(body)
        .poll_frame(&mut context)
        .map(|frame| frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())))
}

#[tokio::test]
async fn rows_are_a_json_array_lines_or_csv() {
    let check = async |rows: u64, format: Format, expected: &str| {
        let found = whole(Rows::new(Source::of(rows)).with_format(format)).await;
        assert_eq!(found, expected, "{format:?}");
    };
    let array = r#"[{"id":1,"text":"row 1"},{"id":2,"text":"row 2"}]"#;
    check(2, Format::JsonArray, array).await;
    check(0, Format::JsonArray, "[]").await;
    let lines = "{\"id\":1,\"text\":\"row 1\"}\n{\"id\":2,\"text\":\"row 2\"}\n";
    check(2, Format::Ndjson, lines).await;
    check(0, Format::Ndjson, "").await;
    check(2, Format::Csv, "id,text\r\n1,row 1\r\n2,row 2\r\n").await;
    check(0, Format::Csv, "").await;
}

#[tokio::test]
async fn an_answer_says_what_it_is() {
    let rows = Rows::new(Source::of(1))
        .with_format(Format::Csv)
        .with_attachment("users");
    let response = rows.respond().await.unwrap();
    let headers = response.headers();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"users.csv\""
    );
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["vary"], "accept");
    let plain = open(Source::of(1), Format::JsonArray).await;
    assert!(!plain.headers().contains_key("content-disposition"));
}

#[tokio::test]
async fn an_end_marker_counts_the_rows_and_is_missing_from_what_broke_off() {
    let rows = |source| {
        Rows::new(source)
            .with_format(Format::Ndjson)
            .with_end_marker(true)
    };
    assert!(
        whole(rows(Source::of(3)))
            .await
            .ends_with("\n{\"end\":true,\"rows\":3}\n")
    );
    assert_eq!(
        whole(rows(Source::of(0))).await,
        "{\"end\":true,\"rows\":0}\n"
    );
    let broken = Source::new([Act::Row(row(1)), Act::Fail]);
    let mut body = rows(broken).respond().await.unwrap().into_body();
    let mut seen = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        seen.extend_from_slice(frame.data_ref().unwrap());
    }
    assert_eq!(seen, b"{\"id\":1,\"text\":\"row 1\"}\n");
}

/// Trap 17: an error of the first row is the answer.
#[tokio::test]
async fn trap_17_an_error_before_the_first_row_is_a_problem() {
    for format in [Format::JsonArray, Format::Ndjson, Format::Csv] {
        let rows = Rows::new(Source::new([Act::Fail])).with_format(format);
        let problem = rows.respond().await.unwrap_err();
        assert_eq!(
            (problem.status().as_u16(), problem.code()),
            (409, "conflict")
        );
    }
}

/// Trap 17: a later error breaks the transfer; what was sent never looks complete.
#[tokio::test]
async fn trap_17_an_error_behind_the_first_row_breaks_the_transfer() {
    for format in [Format::JsonArray, Format::Ndjson, Format::Csv] {
        let source = Source::new([
            Act::Row(row(1)),
            Act::Row(row(2)),
            Act::Fail,
            Act::Row(row(3)),
        ]);
        let alive = Arc::downgrade(&source.alive);
        let mut body = open(source, format).await.into_body();
        let Poll::Ready(Some(Ok(sent))) = poll(&mut body) else {
            panic!("rows were ready")
        };
        assert!(
            sent.ends_with(b"row 2\"}")
                || sent.ends_with(b"row 2\"}\n")
                || sent.ends_with(b"row 2\r\n")
        );
        assert!(serde_json::from_slice::<serde_json::Value>(&sent).is_err());
        assert!(
            alive.upgrade().is_none(),
            "the source is dropped with its error"
        );
        assert!(!body.is_end_stream());
        let Poll::Ready(Some(Err(broken))) = poll(&mut body) else {
            panic!("it breaks off")
        };
        assert_eq!(
            (broken.rows(), broken.to_string().as_str()),
            (2, "the rows broke off after 2")
        );
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_written_leaves_no_half_of_it() {
    #[derive(Serialize)]
    struct Odd {
        id: u8,
        map: std::collections::HashMap<Vec<u8>, u8>,
    }
    let odd = |id, key: Option<u8>| Odd {
        id,
        map: key.map(|key| (vec![key], 1)).into_iter().collect(),
    };
    let rows = [odd(1, None), odd(2, Some(1))].map(Ok::<_, Problem>);
    let mut body = Rows::new(futures_util::stream::iter(rows))
        .respond()
        .await
        .unwrap()
        .into_body();
    let sent = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(sent, "[{\"id\":1,\"map\":{}}");
    let broken = body.frame().await.unwrap().unwrap_err();
    assert_eq!(broken.rows(), 1);
    let rows = [odd(2, Some(1))].map(Ok::<_, Problem>);
    let problem = Rows::new(futures_util::stream::iter(rows))
        .respond()
        .await
        .unwrap_err();
    assert_eq!(problem.code(), "internal-error");
}

#[tokio::test(start_paused = true)]
async fn rows_are_gathered_to_frames_and_long_ones_divided() {
    let long = Row {
        id: 0,
        text: "x".repeat(200_000),
    };
    let acts = (1..=10_000)
        .map(|id| Act::Row(row(id)))
        .chain([Act::Row(long)]);
    let mut body = open(Source::new(acts), Format::JsonArray).await.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push(frame.unwrap().into_data().unwrap());
    }
    let (last, others) = frames.split_last().unwrap();
    for frame in others {
        assert!(
            (16 * 1_024..=LARGEST_FRAME).contains(&frame.len()),
            "{}",
            frame.len()
        );
    }
    assert!(last.len() <= LARGEST_FRAME);
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&frames.concat()).unwrap();
    assert_eq!(rows.len(), 10_001);
    assert!(body.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn rows_that_trickle_are_sent_within_the_latency() {
    // A source that pauses is asked when the client asks, and when a timer fires.
    let acts = [
        Act::Row(row(1)),
        Act::Row(row(2)),
        Act::Pause,
        Act::Pause,
        Act::Pause,
        Act::Row(row(3)),
        Act::Pause,
        Act::Pause,
    ];
    let mut body = open(Source::new(acts), Format::Ndjson).await.into_body();
    let begin = Instant::now();
    assert!(poll(&mut body).is_pending(), "nothing leaves at once");
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        frame,
        "{\"id\":1,\"text\":\"row 1\"}\n{\"id\":2,\"text\":\"row 2\"}\n"
    );
    assert_eq!(begin.elapsed().as_millis(), 100);
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "{\"id\":3,\"text\":\"row 3\"}\n"
    );
    assert_eq!(begin.elapsed().as_millis(), 200);
}

/// A source that is always ready and slow does not hold rows back either.
#[tokio::test(start_paused = true)]
async fn rows_that_take_long_to_make_are_sent_within_the_latency() {
    let slow = futures_util::stream::unfold(0, |id| async move {
        tokio::time::advance(Duration::from_millis(60)).await;
        (id < 6).then(|| (Ok::<_, Problem>(row(id)), id + 1))
    });
    let mut body = Rows::new(slow)
        .with_format(Format::Ndjson)
        .respond()
        .await
        .unwrap()
        .into_body();
    let mut lines = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.unwrap().into_data().unwrap();
        lines.push(String::from_utf8_lossy(&frame).lines().count());
    }
    assert_eq!(lines.iter().sum::<usize>(), 6);
    assert!(lines.iter().all(|lines| *lines <= 3), "{lines:?}");
}

/// The clock is looked at between rows that need no waiting, too.
#[tokio::test]
async fn a_source_that_never_pauses_keeps_the_latency() {
    let rows = Rows::new(Source::of(5)).with_format(Format::Ndjson);
    let mut body = rows
        .with_latency(Duration::ZERO)
        .respond()
        .await
        .unwrap()
        .into_body();
    let mut frames = 0;
    while let Some(frame) = body.frame().await {
        assert!(frame.is_ok());
        frames += 1;
    }
    // The first row waits for the answer to begin, and leaves with the second.
    assert_eq!(frames, 4);
}

/// Trap 18: the source is read no faster than the client reads, and dropped when it leaves.
#[tokio::test]
async fn trap_18_a_slow_client_slows_the_source_and_one_that_leaves_ends_it() {
    let source = Source::of(1_000_000);
    let (taken, alive) = (Arc::clone(&source.taken), Arc::downgrade(&source.alive));
    let mut body = open(source, Format::JsonArray).await.into_body();
    assert_eq!(
        taken.load(Ordering::Relaxed),
        1,
        "only the first row is read ahead"
    );
    for frames in 1..=5 {
        assert!(poll(&mut body).is_ready());
        let rows = taken.load(Ordering::Relaxed);
        assert!(rows < frames * 2_000, "{rows} rows for {frames} frames");
        assert!(
            body.buffer.capacity() <= 2 * LARGEST_FRAME,
            "{}",
            body.buffer.capacity()
        );
    }
    drop(body);
    assert!(alive.upgrade().is_none());
}

#[tokio::test]
async fn trap_18_leaving_while_the_first_row_is_awaited_drops_the_source() {
    let source = Source::new([Act::Pause]);
    let alive = Arc::downgrade(&source.alive);
    let mut waiting = Box::pin(Rows::new(source).respond());
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(waiting);
    assert!(alive.upgrade().is_none());
}

#[tokio::test]
async fn plain_items_need_no_result() {
    let rows = Rows::of(futures_util::stream::iter([row(1)])).with_format(Format::Csv);
    let body = rows
        .with_columns(["text"])
        .respond()
        .await
        .unwrap()
        .into_body();
    assert_eq!(
        body.collect().await.unwrap().to_bytes(),
        "text\r\nrow 1\r\n"
    );
}
