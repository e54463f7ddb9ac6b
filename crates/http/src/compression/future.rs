//! Waits for the answer, decides what happens to it, and compresses short bodies before the head goes out.

use std::fmt;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{BoxError, CompressionBody};
use super::cache::{Found, Kept, Question};
use super::flush::Framing;
use super::plain_fields::remove_plain_fields;
use super::policy::is_event_stream;
use super::preconditions::{restore_listed_tag, suffix_tag};
use super::service::Negotiation;
use super::stream::StreamSettings;
use super::treatment::{Treatment, treatment};
use super::vary::add_vary;
use crate::coding::Level;
use crate::gathering::{Gathered, Gathering, exact_length};

pin_project! {
    /// The future of [`Compression`](super::Compression).
    #[derive(Debug)]
    pub struct CompressionFuture<F, B> {
        #[pin]
        inner: F,
        negotiation: Negotiation,
        offloaded: Option<Box<Offloaded>>,
        body: std::marker::PhantomData<fn() -> B>,
    }
}

/// A body on the blocking pool. Boxed: it is large, and few answers have it.
#[derive(Debug)]
struct Offloaded {
    parts: response::Parts,
    data: Bytes,
    trailers: Option<HeaderMap>,
    work: Work,
}

/// What is encoded elsewhere; `None` when that failed or gained nothing.
struct Work(Pin<Box<dyn Future<Output = Option<Encoded>> + Send>>);

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// Encoded bytes, and their level where it is not the coding's default.
#[derive(Debug)]
struct Encoded {
    body: Bytes,
    level: Option<Level>,
}

impl Encoded {
    fn of(kept: &Kept) -> Option<Self> {
        Some(Self {
            body: kept.body.clone()?,
            level: kept.level,
        })
    }
}

/// The answer, or the work that is left before there is one.
type Step<B> = ControlFlow<Response<CompressionBody<B>>, Box<Offloaded>>;

impl<F, B> CompressionFuture<F, B> {
    pub(super) fn new(inner: F, negotiation: Negotiation) -> Self {
        Self {
            inner,
            negotiation,
            offloaded: None,
            body: std::marker::PhantomData,
        }
    }
}

impl<F, B, E> Future for CompressionFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<CompressionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.offloaded.is_none() {
            let response = ready!(this.inner.poll(cx))?;
            match this.negotiation.treat(response, cx) {
                ControlFlow::Break(response) => return Poll::Ready(Ok(response)),
                ControlFlow::Continue(offloaded) => *this.offloaded = Some(offloaded),
            }
        }
        let offloaded = this
            .offloaded
            .as_mut()
            .expect("set just above, or by an earlier poll");
        let encoded = ready!(offloaded.work.0.as_mut().poll(cx));
        let Offloaded {
            parts,
            data,
            trailers,
            ..
        } = *this.offloaded.take().expect("borrowed just above");
        Poll::Ready(Ok(this.negotiation.whole(parts, data, trailers, encoded)))
    }
}

impl Negotiation {
    fn treat<B>(&self, mut response: Response<B>, cx: &mut Context<'_>) -> Step<B>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let length = self.length_of_get(response.headers(), response.body());
        match treatment(
            self.compressor.policy(),
            self.exchange,
            response.status(),
            response.headers(),
            length,
        ) {
            Treatment::Untouched => {}
            Treatment::VaryOnly => add_vary(response.headers_mut()),
            Treatment::NotModified => {
                let headers = response.headers_mut();
                add_vary(headers);
                if let Some(listed) = &self.listed {
                    restore_listed_tag(headers, listed, self.exchange.coding, self.level());
                }
            }
            Treatment::Encode => {
                add_vary(response.headers_mut());
                let (parts, body) = response.into_parts();
                return self.encode(parts, body, cx);
            }
        }
        ControlFlow::Break(response.map(CompressionBody::untouched))
    }

    /// A handler may answer `HEAD` with the body of the `GET` or with none and a `Content-Length`.
    fn length_of_get<B: Body>(&self, headers: &HeaderMap, body: &B) -> Option<u64> {
        let exact = body.size_hint().exact();
        if !self.is_bodiless_head(body) {
            return exact;
        }
        headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    fn is_bodiless_head<B: Body>(&self, body: &B) -> bool {
        self.is_head && body.size_hint().exact() == Some(0)
    }

    fn encode<B>(&self, mut parts: response::Parts, body: B, cx: &mut Context<'_>) -> Step<B>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let policy = self.compressor.policy();
        if self.is_bodiless_head(&body) {
            self.mark_encoded(&mut parts.headers, self.level(), None);
            return ControlFlow::Break(Response::from_parts(
                parts,
                CompressionBody::untouched(body),
            ));
        }
        if exact_length(&body, policy.largest_one_shot()).is_none() {
            let read = Gathering::new(body).into_gathered();
            return ControlFlow::Break(self.stream(parts, read));
        }
        let mut gathering = Gathering::new(body);
        let read = gathering.poll_end(cx);
        let gathered = gathering.into_gathered();
        match read {
            Poll::Pending => return ControlFlow::Break(self.stream(parts, gathered)),
            Poll::Ready(Err(error)) => {
                let body = CompressionBody::broken(gathered.data, error.into());
                return ControlFlow::Break(Response::from_parts(parts, body));
            }
            Poll::Ready(Ok(())) => {}
        }
        let Gathered { data, trailers, .. } = gathered;
        match self.encoded(&parts.headers, &data) {
            ControlFlow::Break(encoded) => {
                ControlFlow::Break(self.whole(parts, data, trailers, encoded))
            }
            ControlFlow::Continue(work) => ControlFlow::Continue(Box::new(Offloaded {
                parts,
                data,
                trailers,
                work,
            })),
        }
    }

    /// Encodes a whole body, or finds it in the cache; what takes long is done on the blocking pool.
    fn encoded(&self, headers: &HeaderMap, data: &Bytes) -> ControlFlow<Option<Encoded>, Work> {
        let coding = self.exchange.coding;
        if let Some(cache) = &self.cache {
            let question = Question {
                coding,
                address: self.address.as_deref(),
                headers,
                data,
            };
            return match cache.find(&question, &self.compressor) {
                Found::Ready(kept) => ControlFlow::Break(Encoded::of(&kept)),
                Found::Later(work) => ControlFlow::Continue(Work(Box::pin(async {
                    work.await.as_deref().and_then(Encoded::of)
                }))),
            };
        }
        let level = self.level();
        if self.compressor.policy().is_offloaded(data.len()) {
            let (compressor, input) = (Arc::clone(&self.compressor), data.clone());
            let work = tokio::task::spawn_blocking(move || compressor.compress(coding, &input));
            return ControlFlow::Continue(Work(Box::pin(async move {
                let body = work.await.ok().flatten()?;
                Some(Encoded { body, level })
            })));
        }
        let body = self.compressor.compress(coding, data);
        ControlFlow::Break(body.map(|body| Encoded { body, level }))
    }

    /// A body that was read whole, encoded where that made it smaller.
    fn whole<B>(
        &self,
        mut parts: response::Parts,
        data: Bytes,
        trailers: Option<HeaderMap>,
        encoded: Option<Encoded>,
    ) -> Response<CompressionBody<B>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let data = match encoded {
            None => data,
            Some(Encoded { body, level }) => {
                self.mark_encoded(&mut parts.headers, level, Some(body.len()));
                body
            }
        };
        Response::from_parts(parts, CompressionBody::whole(data, trailers))
    }

    fn stream<B>(
        &self,
        mut parts: response::Parts,
        read: Gathered<B>,
    ) -> Response<CompressionBody<B>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let policy = self.compressor.policy();
        let is_events = parts.headers.get(CONTENT_TYPE).is_some_and(is_event_stream);
        let settings = StreamSettings {
            coding: self.exchange.coding,
            level: policy.levels().get(self.exchange.coding),
            framing: if is_events {
                Framing::Events
            } else {
                Framing::Bytes
            },
            latency: policy.latency(),
        };
        self.mark_encoded(&mut parts.headers, self.level(), None);
        Response::from_parts(parts, CompressionBody::stream(read, settings))
    }

    /// The policy's level of the negotiated coding, as tags name it.
    fn level(&self) -> Option<Level> {
        self.compressor
            .policy()
            .levels()
            .named(self.exchange.coding)
    }

    fn mark_encoded(&self, headers: &mut HeaderMap, level: Option<Level>, length: Option<usize>) {
        let coding = self.exchange.coding;
        headers.insert(CONTENT_ENCODING, coding.header_value());
        suffix_tag(headers, coding, level);
        remove_plain_fields(headers);
        match length {
            Some(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
            None => drop(headers.remove(CONTENT_LENGTH)),
        }
    }
}
