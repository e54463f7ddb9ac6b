//! The layer that judges preconditions before the work.

use std::fmt;
use std::sync::Arc;

use http::request;
use tower_layer::Layer;

use super::service::Validated;

/// Which unguarded changes are refused.
pub(super) type Policy = Arc<dyn Fn(&request::Parts) -> bool + Send + Sync>;

/// Answers 304, 412 and 428 before the handler runs, from what a [`Validator`](super::Validator) knows.
///
/// * `GET` and `HEAD` of a version the client has: 304, and the handler does not run.
/// * A false `If-Match`, `If-Unmodified-Since` or, for methods that act, `If-None-Match`: 412, and nothing happens. A
///   malformed one is 400.
/// * With [`require_precondition_if`](Self::require_precondition_if), a `PUT`, `PATCH` or `DELETE` without any of them: 428.
/// * The 200 of a `GET` or `HEAD` gets the validators and fields of the state where the handler did not set its own.
///
/// Between the judgement and the handler's write another change can happen. Where that matters, the write itself must
/// compare the version (`UPDATE ... WHERE version = ...`); the layer then still spares the work of most lost races.
///
/// It belongs inside logins, limits and a [`CompressionLayer`](crate::compression::CompressionLayer), whose coding's
/// tags it understands, and outside a [`ConditionalLayer`](crate::conditional::ConditionalLayer), which tags what the
/// validator knows nothing of.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response, request::Parts};
/// use paceline_http::conditional::{EntityTag, KnownState, ValidatorLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let version = |_: &Parts| std::future::ready(Some(KnownState::tagged(EntityTag::strong("7").unwrap())));
/// let layer = ValidatorLayer::new(version).require_precondition();
/// let handler = service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::from("work"))) });
///
/// let request = Request::get("/").header("if-none-match", "\"7\"").body(String::new()).unwrap();
/// let answer = layer.layer(handler).oneshot(request).await.unwrap();
/// assert_eq!(answer.status(), 304);
/// # });
/// ```
#[derive(Clone)]
pub struct ValidatorLayer<V> {
    validator: V,
    required: Option<Policy>,
}

impl<V> ValidatorLayer<V> {
    /// A layer that asks `validator`.
    pub fn new(validator: V) -> Self {
        Self {
            validator,
            required: None,
        }
    }

    /// Refuses every unguarded `PUT`, `PATCH` and `DELETE` with 428 (RFC 6585, section 3).
    #[must_use]
    pub fn require_precondition(self) -> Self {
        self.require_precondition_if(|_| true)
    }

    /// Refuses those for which `required` says so.
    #[must_use]
    pub fn require_precondition_if(
        mut self,
        required: impl Fn(&request::Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.required = Some(Arc::new(required));
        self
    }
}

impl<S, V: Clone> Layer<S> for ValidatorLayer<V> {
    type Service = Validated<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Validated::new(inner, self.validator.clone(), self.required.clone())
    }
}

impl<V: fmt::Debug> fmt::Debug for ValidatorLayer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatorLayer")
            .field("validator", &self.validator)
            .field("has_policy", &self.required.is_some())
            .finish_non_exhaustive()
    }
}
