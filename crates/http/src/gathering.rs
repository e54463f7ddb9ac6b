//! Reading a response body of known length into one piece, as far as it goes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

/// A body being read. The body is boxed because it moves on, into the response, after it was polled.
#[derive(Debug)]
pub(crate) struct Gathering<B: Body> {
    body: Pin<Box<B>>,
    first: Bytes,
    more: BytesMut,
    trailers: Option<HeaderMap>,
}

/// What was read before the end, a pause or an error.
#[derive(Debug)]
pub(crate) struct Gathered<B> {
    #[cfg_attr(
        not(feature = "compression"),
        expect(dead_code, reason = "only an encoded stream goes on with it")
    )]
    pub(crate) body: Pin<Box<B>>,
    pub(crate) data: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

/// The exact length of a body, when it is known and at most `limit`.
pub(crate) fn exact_length<B: Body>(body: &B, limit: usize) -> Option<usize> {
    let length = usize::try_from(body.size_hint().exact()?).ok()?;
    (length <= limit).then_some(length)
}

impl<B: Body> Gathering<B> {
    /// Call only for bodies with an [`exact_length`]: nothing else bounds what is read.
    pub(crate) fn new(body: B) -> Self {
        Self {
            body: Box::pin(body),
            first: Bytes::new(),
            more: BytesMut::new(),
            trailers: None,
        }
    }

    /// Reads to the end; `Pending` while the body pauses.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), B::Error>> {
        while !self.body.is_end_stream() {
            let Some(frame) = ready!(self.body.as_mut().poll_frame(cx)?) else {
                break;
            };
            match frame.into_data() {
                Ok(data) => self.append(data),
                Err(frame) => self.trailers = frame.into_trailers().ok().or(self.trailers.take()),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn append(&mut self, mut data: B::Data) {
        let piece = data.copy_to_bytes(data.remaining());
        if self.first.is_empty() {
            self.first = piece;
        } else {
            if self.more.is_empty() {
                self.more.extend_from_slice(&self.first);
            }
            self.more.extend_from_slice(&piece);
        }
    }

    /// Takes what was read and the body that goes on from there.
    pub(crate) fn into_gathered(self) -> Gathered<B> {
        let data = if self.more.is_empty() {
            self.first
        } else {
            self.more.freeze()
        };
        Gathered {
            body: self.body,
            data,
            trailers: self.trailers,
        }
    }
}
