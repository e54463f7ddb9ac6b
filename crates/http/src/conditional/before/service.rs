//! The service of [`ValidatorLayer`](super::ValidatorLayer).

use std::fmt;
use std::task::{Context, Poll};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderName, Method, Request, Response, request};
use http_body::Body;
use tower_service::Service;

use super::future::ValidatedFuture;
use super::layer::Policy;
use super::validator::Validator;
use crate::conditional::ConditionalBody;
use crate::problem::Problem;

static PRECONDITIONS: [HeaderName; 4] = [
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

/// A service whose requests are judged before they reach it; see [`ValidatorLayer`](super::ValidatorLayer).
#[derive(Clone)]
pub struct Validated<S, V> {
    inner: S,
    validator: V,
    required: Option<Policy>,
}

impl<S, V> Validated<S, V> {
    pub(super) fn new(inner: S, validator: V, required: Option<Policy>) -> Self {
        Self {
            inner,
            validator,
            required,
        }
    }

    /// Whether the policy asks for a guard that the request does not have.
    fn lacks_guard(&self, request: &request::Parts) -> bool {
        let guards = [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE];
        matches!(request.method, Method::PUT | Method::PATCH | Method::DELETE)
            && !guards.iter().any(|name| request.headers.contains_key(name))
            && self
                .required
                .as_ref()
                .is_some_and(|required| required(request))
    }
}

impl<S, V, RequestBody, ResponseBody> Service<Request<RequestBody>> for Validated<S, V>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone,
    V: Validator,
    ResponseBody: Body,
{
    type Response = Response<ConditionalBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ValidatedFuture<S, V::Future, RequestBody, ResponseBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        if self.lacks_guard(&parts) {
            return ValidatedFuture::refused(Problem::precondition_required());
        }
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        // A read without preconditions is judged as well: nothing comes of it, and it is asked anyway.
        let is_conditional = || {
            let mut names = PRECONDITIONS.iter();
            names.any(|name| parts.headers.contains_key(name))
        };
        if !is_read && !is_conditional() {
            let request = Request::from_parts(parts, body);
            return ValidatedFuture::running(self.inner.call(request), None);
        }
        let state = self.validator.state(&parts);
        // The clone was not polled to readiness; the one that was is used.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let request = Request::from_parts(parts, body);
        ValidatedFuture::asking(state, request, inner)
    }
}

impl<S: fmt::Debug, V: fmt::Debug> fmt::Debug for Validated<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validated")
            .field("inner", &self.inner)
            .field("validator", &self.validator)
            .finish_non_exhaustive()
    }
}
