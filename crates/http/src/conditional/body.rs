//! The body of an answer that may have been read for its tag.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of [`Conditional`](super::Conditional).
    pub struct ConditionalBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    // Few answers have trailers, and every layer further out moves the body along: they are boxed.
    #[project = KindProjection]
    enum Kind<B>
    where
        B: Body,
    {
        Untouched { #[pin] body: B },
        Read { data: Option<Bytes>, trailers: Option<Box<HeaderMap>>, error: Option<B::Error> },
    }
}

impl<B: Body> ConditionalBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self {
            kind: Kind::Untouched { body },
        }
    }

    pub(super) fn buffered(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self {
            kind: Kind::Read {
                data: Some(data).filter(|data| !data.is_empty()),
                trailers: trailers.map(Box::new),
                error: None,
            },
        }
    }

    /// A body that failed while it was read: the client sees the same bytes and the same break.
    pub(super) fn broken(data: Bytes, error: B::Error) -> Self {
        Self {
            kind: Kind::Read {
                data: Some(data).filter(|data| !data.is_empty()),
                trailers: None,
                error: Some(error),
            },
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            kind: Kind::Read {
                data: None,
                trailers: None,
                error: None,
            },
        }
    }
}

/// A body in one piece, for a layer further out that answers by itself.
impl<B: Body> From<Bytes> for ConditionalBody<B> {
    fn from(data: Bytes) -> Self {
        Self::buffered(data, None)
    }
}

impl<B: Body> Body for ConditionalBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            KindProjection::Untouched { body } => body
                .poll_frame(cx)
                .map_ok(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
            KindProjection::Read {
                data,
                trailers,
                error,
            } => {
                let next = data.take().map(|data| Ok(Frame::data(data)));
                let next = next.or_else(|| error.take().map(Err));
                Poll::Ready(next.or_else(|| {
                    trailers
                        .take()
                        .map(|trailers| Ok(Frame::trailers(*trailers)))
                }))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Untouched { body } => body.is_end_stream(),
            Kind::Read {
                data,
                trailers,
                error,
            } => data.is_none() && trailers.is_none() && error.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Untouched { body } => body.size_hint(),
            Kind::Read { error: Some(_), .. } => SizeHint::default(),
            Kind::Read { data, .. } => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
        }
    }
}

impl<B: Body> fmt::Debug for ConditionalBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Untouched { .. } => "untouched",
            Kind::Read { .. } => "read",
        };
        f.debug_tuple("ConditionalBody").field(&kind).finish()
    }
}
