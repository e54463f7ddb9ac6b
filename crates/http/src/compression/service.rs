//! The service of [`CompressionLayer`](super::CompressionLayer).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, IF_NONE_MATCH};
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::accept_encoding::AcceptEncoding;
use super::body::{BoxError, CompressionBody};
use super::cache::{Address, EncodedCache};
use super::future::CompressionFuture;
use super::one_shot::Compressor;
use super::preconditions::widen_preconditions;
use super::treatment::Exchange;
use crate::cache_control::cache_control_has;
use crate::coding::Coding;

/// A service whose answers are compressed; see [`CompressionLayer`](super::CompressionLayer).
#[derive(Debug, Clone)]
pub struct Compression<S> {
    inner: S,
    compressor: Arc<Compressor>,
    cache: Option<EncodedCache>,
}

/// What the answer's treatment needs of the request.
#[derive(Debug)]
pub(super) struct Negotiation {
    pub(super) exchange: Exchange,
    pub(super) is_head: bool,
    /// The client's `If-None-Match`, as it was sent. Boxed like the address: most requests have none, and every layer
    /// further out moves this along.
    pub(super) listed: Option<Box<HeaderMap>>,
    pub(super) compressor: Arc<Compressor>,
    pub(super) cache: Option<EncodedCache>,
    /// Only where the cache needs it.
    pub(super) address: Option<Box<Address>>,
}

impl<S> Compression<S> {
    pub(super) fn new(inner: S, compressor: Arc<Compressor>, cache: Option<EncodedCache>) -> Self {
        Self {
            inner,
            compressor,
            cache,
        }
    }

    fn negotiate<B>(&self, request: &Request<B>) -> Negotiation {
        let headers = request.headers();
        let accepted = AcceptEncoding::from_headers(headers);
        let mut listed = None;
        for line in headers.get_all(IF_NONE_MATCH) {
            listed
                .get_or_insert_with(Box::<HeaderMap>::default)
                .append(IF_NONE_MATCH, line.clone());
        }
        let coding = accepted
            .negotiate(self.compressor.policy().offered())
            .or_identity();
        // Identity transforms nothing, whatever the client says.
        let no_transform = coding != Coding::Identity
            && cache_control_has(headers.get_all(CACHE_CONTROL), "no-transform");
        Negotiation {
            exchange: Exchange {
                coding,
                accepts_identity: accepted.accepts_identity(),
                no_transform,
                is_connect: request.method() == Method::CONNECT,
            },
            is_head: request.method() == Method::HEAD,
            listed,
            compressor: Arc::clone(&self.compressor),
            address: match &self.cache {
                Some(cache) if cache.needs_address() => Some(Box::new(Address::of(request))),
                _ => None,
            },
            cache: self.cache.clone(),
        }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Compression<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Body,
    ResponseBody::Error: Into<BoxError>,
{
    type Response = Response<CompressionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = CompressionFuture<S::Future, ResponseBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let negotiation = self.negotiate(&request);
        widen_preconditions(request.headers_mut(), negotiation.listed.is_some());
        CompressionFuture::new(self.inner.call(request), negotiation)
    }
}
