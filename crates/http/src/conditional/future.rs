//! Waits for the answer, reads it where it is to be hashed, and decides between it and a 304.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, Method, Response, StatusCode, response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ConditionalBody;
use super::entity_tag::EntityTag;
use super::evaluate::{CurrentState, Decision, date, evaluate};
use super::not_modified::retain_not_modified_headers;
use super::service::ReadingRequest;
use crate::cache_control::cache_control_has;
use crate::gathering::{Gathered, Gathering, exact_length};
use crate::problem::Problem;

pin_project! {
    /// The future of [`Conditional`](super::Conditional).
    #[derive(Debug)]
    pub struct ConditionalFuture<F, B>
    where
        B: Body,
    {
        #[pin]
        inner: F,
        reading: Option<ReadingRequest>,
        hashing: Option<Box<Hashing<B>>>,
    }
}

/// Boxed: it is large, and only answers that are hashed have it.
#[derive(Debug)]
struct Hashing<B: Body> {
    request: ReadingRequest,
    parts: response::Parts,
    body: Gathering<B>,
}

impl<F, B: Body> ConditionalFuture<F, B> {
    pub(super) fn new(inner: F, reading: Option<ReadingRequest>) -> Self {
        Self {
            inner,
            reading,
            hashing: None,
        }
    }
}

impl<F, B, E> Future for ConditionalFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ConditionalBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.hashing.is_none() {
            let response = ready!(this.inner.poll(cx))?;
            let Some(request) = this
                .reading
                .take()
                .filter(|_| response.status() == StatusCode::OK)
            else {
                return Poll::Ready(Ok(response.map(ConditionalBody::untouched)));
            };
            if !is_to_be_hashed(&request, &response) {
                return Poll::Ready(Ok(answer(
                    &request,
                    response.map(ConditionalBody::untouched),
                )));
            }
            let (parts, body) = response.into_parts();
            *this.hashing = Some(Box::new(Hashing {
                request,
                parts,
                body: Gathering::new(body),
            }));
        }
        let hashing = this
            .hashing
            .as_mut()
            .expect("set just above, or by an earlier poll");
        let outcome = ready!(hashing.body.poll_end(cx));
        let Hashing {
            request,
            mut parts,
            body,
        } = *this.hashing.take().expect("borrowed just above");
        let Gathered { data, trailers, .. } = body.into_gathered();
        let body = if let Err(error) = outcome {
            ConditionalBody::broken(data, error)
        } else {
            let tag = body_tag(&parts.headers, &data);
            parts.headers.insert(ETAG, tag.header_value().clone());
            ConditionalBody::buffered(data, trailers)
        };
        Poll::Ready(Ok(answer(&request, Response::from_parts(parts, body))))
    }
}

fn is_to_be_hashed<B: Body>(request: &ReadingRequest, response: &Response<B>) -> bool {
    let headers = response.headers();
    let empty_head = request.is_head && response.body().is_end_stream();
    !headers.contains_key(ETAG)
        && !empty_head // the body of the GET is not known here, so neither is its tag
        && !cache_control_has(headers.get_all(CACHE_CONTROL), "no-store")
        && exact_length(response.body(), request.max_body).is_some()
}

/// A strong tag over the bytes and what they mean; stable across restarts and replicas.
fn body_tag(headers: &HeaderMap, data: &Bytes) -> EntityTag {
    let mut hasher = blake3::Hasher::new();
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        let value = headers
            .get(name)
            .map_or(&b""[..], http::HeaderValue::as_bytes);
        hasher
            .update(&(value.len() as u64).to_le_bytes())
            .update(value);
    }
    let hash = hasher.update(data).finalize();
    EntityTag::strong(URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..16]))
        .expect("base64 has only tag characters")
}

fn answer<B: Body>(
    request: &ReadingRequest,
    response: Response<ConditionalBody<B>>,
) -> Response<ConditionalBody<B>> {
    let Some(preconditions) = request.preconditions.as_deref() else {
        return response;
    };
    let headers = response.headers();
    let tag = headers
        .get(ETAG)
        .and_then(|value| EntityTag::parse(value.as_bytes()).ok());
    let mut state = tag
        .as_ref()
        .map_or(CurrentState::untagged(), CurrentState::tagged);
    if let Some(modified) = date(headers, LAST_MODIFIED) {
        state = state.with_last_modified(modified);
    }
    let method = if request.is_head {
        Method::HEAD
    } else {
        Method::GET
    };
    match evaluate(&method, preconditions, &state) {
        Decision::Proceed => response,
        Decision::NotModified => {
            let (mut parts, _) = response.into_parts();
            parts.status = StatusCode::NOT_MODIFIED;
            retain_not_modified_headers(&mut parts.headers);
            Response::from_parts(parts, ConditionalBody::empty())
        }
        Decision::Refuse(refused) => Problem::from(refused)
            .into_http_response()
            .map(|data| ConditionalBody::buffered(data, None)),
    }
}
