//! The body of an answer that may have been compressed.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::stream::{EncodingStream, StreamSettings};
use crate::gathering::Gathered;

/// Any error a body may end with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pin_project! {
    /// The response body of [`Compression`](super::Compression).
    #[derive(Debug)]
    pub struct CompressionBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    // What few answers have is boxed: every layer further out moves the body along.
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<B> {
        Untouched { #[pin] body: B },
        Whole { data: Option<Bytes>, trailers: Option<Box<HeaderMap>>, error: Option<BoxError> },
        Stream { stream: Box<EncodingStream<B>> },
    }
}

impl<B> CompressionBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    pub(super) fn untouched(body: B) -> Self {
        Self {
            kind: Kind::Untouched { body },
        }
    }

    pub(super) fn whole(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self {
            kind: Kind::Whole {
                data: Some(data).filter(|data| !data.is_empty()),
                trailers: trailers.map(Box::new),
                error: None,
            },
        }
    }

    /// A body that failed while it was read: the client sees the same bytes and the same break.
    pub(super) fn broken(data: Bytes, error: BoxError) -> Self {
        Self {
            kind: Kind::Whole {
                data: Some(data),
                trailers: None,
                error: Some(error),
            },
        }
    }

    pub(super) fn stream(read: Gathered<B>, settings: StreamSettings) -> Self {
        Self {
            kind: Kind::Stream {
                stream: Box::new(EncodingStream::new(read, settings)),
            },
        }
    }
}

/// A body in one piece, for a layer further out that answers by itself.
impl<B> From<Bytes> for CompressionBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    fn from(data: Bytes) -> Self {
        Self::whole(data, None)
    }
}

impl<B> Body for CompressionBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            KindProjection::Untouched { body } => {
                body.poll_frame(cx).map(|next| {
                    let frame = next?.map_err(Into::into);
                    Some(frame.map(|frame| {
                        frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
                    }))
                })
            }
            KindProjection::Whole {
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
            KindProjection::Stream { stream } => stream.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Untouched { body } => body.is_end_stream(),
            Kind::Whole {
                data,
                trailers,
                error,
            } => data.is_none() && trailers.is_none() && error.is_none(),
            Kind::Stream { stream } => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Untouched { body } => body.size_hint(),
            Kind::Whole { error: Some(_), .. } | Kind::Stream { .. } => SizeHint::default(),
            Kind::Whole { data, .. } => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
        }
    }
}
