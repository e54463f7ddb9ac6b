//! An answer as a stream: a prelude of status and headers, eight zero bytes, the body as it comes.

use std::array;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Body, Frame};
use serde::Serialize;
use tokio::time::{Sleep, sleep_until};

use super::fields;
use crate::BoxError;
use crate::panic::call;

/// What the body of the report is, for the platform.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.awslambda.http-integration-response";

/// What separates the prelude from the body.
const SEPARATOR: [u8; 8] = [0; 8];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Prelude<H: Serialize, C: Serialize> {
    status_code: u16,
    headers: H,
    cookies: C,
}

/// Prelude and separator, each a chunk of its own: not every reader looks for the separator.
fn head<B>(response: &Response<B>) -> [Bytes; 2] {
    let headers = response.headers();
    let prelude = Prelude {
        status_code: response.status().as_u16(),
        headers: fields::joined(headers),
        cookies: fields::cookies(headers),
    };
    let bytes = serde_json::to_vec(&prelude)
        .expect("names and values of an answer are text, which JSON holds");
    [bytes.into(), Bytes::from_static(&SEPARATOR)]
}

/// The stream was cut off before its end.
#[derive(Debug, thiserror::Error)]
#[error("the answer was not over when the function's time was, and was cut off")]
struct CutOff;

pin_project_lite::pin_project! {
    /// The report of a streamed answer.
    ///
    /// Whatever ends it early, an error of the body's, a panic, the function's time, is an error here, on which the
    /// connection is dropped without the last chunk: the client sees that the answer is not whole. Nothing is ever
    /// written into the body about it.
    pub(crate) struct Streamed<B> {
        head: array::IntoIter<Bytes, 2>,
        #[pin]
        body: B,
        #[pin]
        cut_off: Option<Sleep>,
        failed: Option<BoxError>,
        is_over: bool,
    }
}

impl<B> Streamed<B> {
    /// `by` is when the stream is cut off at the latest.
    pub(crate) fn new(response: Response<B>, by: Option<Instant>) -> Self {
        Self {
            head: head(&response).into_iter(),
            body: response.into_body(),
            cut_off: by.map(|by| sleep_until(by.into())),
            failed: None,
            is_over: false,
        }
    }
}

impl<B> Body for Streamed<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    /// The size is never told: with it the report would not be chunked, which it has to be.
    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Some(head) = this.head.next() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        if let Some(error) = this.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if *this.is_over {
            return Poll::Ready(None);
        }
        // What came before is sent first: an error makes the connection forget what it still holds.
        let mut failed = |waker: &Waker, error: BoxError| {
            *this.is_over = true;
            tracing::warn!(%error, "a streamed answer ended early: the client sees it cut off");
            *this.failed = Some(error);
            waker.wake_by_ref();
            Poll::Pending
        };
        if let Some(cut_off) = this.cut_off.as_mut().as_pin_mut()
            && cut_off.poll(context).is_ready()
        {
            return failed(context.waker(), CutOff.into());
        }
        loop {
            let body = this.body.as_mut();
            let frame = match call(|| body.poll_frame(context)) {
                Ok(poll) => ready!(poll),
                Err(panicked) => return failed(context.waker(), panicked.into()),
            };
            match frame {
                None => {
                    *this.is_over = true;
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return failed(context.waker(), error.into()),
                Some(Ok(frame)) => {
                    // Trailers have no place in the report. An empty chunk would end it.
                    if let Ok(mut data) = frame.into_data()
                        && data.has_remaining()
                    {
                        let data = data.copy_to_bytes(data.remaining());
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    type Frames = Vec<Result<Frame<Bytes>, BoxError>>;

    fn data(text: &'static str) -> Frame<Bytes> {
        Frame::data(Bytes::from_static(text.as_bytes()))
    }

    fn answer(
        frames: Frames,
    ) -> Response<StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, BoxError>>>>
    {
        Response::builder()
            .status(201)
            .header("content-type", "text/csv")
            .header("set-cookie", "a=1")
            .body(StreamBody::new(stream::iter(frames)))
            .expect("an answer")
    }

    async fn written(frames: Frames) -> (Vec<u8>, bool) {
        let mut streamed = Box::pin(Streamed::new(answer(frames), None));
        let mut bytes = Vec::new();
        while let Some(frame) = streamed.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame.into_data().expect("data only")),
                Err(_) => return (bytes, false),
            }
        }
        (bytes, true)
    }

    const PRELUDE: &str = "{\"statusCode\":201,\"headers\":{\"content-type\":\"text/csv\"},\"cookies\":[\"a=1\"]}\0\0\0\0\0\0\0\0";

    #[tokio::test]
    async fn the_body_follows_the_prelude_as_it_is() {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", http::HeaderValue::from_static("7"));
        let frames = vec![
            Ok(data("a,b\n")),
            Ok(data("")),
            Ok(Frame::trailers(trailers)),
            Ok(data("\u{0}\u{7f}\n")),
        ];
        let (bytes, is_whole) = written(frames).await;
        assert!(is_whole);
        assert_eq!(
            String::from_utf8(bytes).expect("text"),
            format!("{PRELUDE}a,b\n\0\u{7f}\n")
        );
    }

    #[tokio::test]
    async fn trap_12_an_error_ends_the_stream_and_writes_nothing_into_it() {
        let frames = vec![
            Ok(data("a,b\n")),
            Err("the database went away".into()),
            Ok(data("never\n")),
        ];
        let (bytes, is_whole) = written(frames).await;
        assert!(!is_whole);
        assert_eq!(
            String::from_utf8(bytes).expect("text"),
            format!("{PRELUDE}a,b\n")
        );
    }

    #[tokio::test]
    async fn a_body_that_panics_is_an_error() {
        let broken =
            stream::iter([()]).map(|()| -> Result<Frame<Bytes>, BoxError> { panic!("a bug") });
        let body = StreamBody::new(broken);
        let mut streamed = Box::pin(Streamed::new(Response::new(body), None));
        for _ in 0..2 {
            let head = streamed.frame().await;
            head.expect("a prelude").expect("a prelude");
        }
        assert!(streamed.frame().await.expect("an end").is_err());
        assert!(streamed.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_does_not_end_is_cut_off_in_time() {
        let endless = StreamBody::new(stream::pending::<Result<Frame<Bytes>, BoxError>>());
        let by = tokio::time::Instant::now() + Duration::from_secs(2);
        let mut streamed = Box::pin(Streamed::new(Response::new(endless), Some(by.into_std())));
        for _ in 0..2 {
            let head = streamed.frame().await;
            head.expect("a prelude").expect("a prelude");
        }
        let end = streamed.frame().await.expect("an end");
        assert!(end.expect_err("cut off").to_string().contains("cut off"));
        assert!(tokio::time::Instant::now() >= by);
    }
}
