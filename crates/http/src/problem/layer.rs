//! The layer that leaves no error without a problem document.

use tower_layer::Layer;

use super::service::Problems;

/// Turns error answers (4xx and 5xx) that have no form of their own into problem documents: those without a
/// `Content-Type`, and plain text.
///
/// Routers, extractors and other layers say 404, 405, 408, 413 or 500 with an empty body or a sentence of
/// their own, which may tell of the inside. The new document says no more than the status does; the headers of
/// the answer (`Allow`, `Retry-After`) stay. Answers of any other type, problem documents among them, pass.
///
/// ```
/// use axum::{Router, routing::get};
/// use paceline_http::problem::ProblemLayer;
///
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(ProblemLayer::new());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ProblemLayer(());

impl ProblemLayer {
    /// The layer.
    pub fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for ProblemLayer {
    type Service = Problems<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Problems::new(inner)
    }
}
