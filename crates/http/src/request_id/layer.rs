//! The layer that gives requests their ids.

use tower_layer::Layer;

use super::{RequestId, RequestIds};

/// Gives each request an id, in its headers and in those of its answer; see the [module](super).
///
/// Outside whatever logs or passes requests on. An id the service inside put on its answer is replaced: the answer's is
/// the request's.
#[derive(Debug, Clone, Default)]
pub struct RequestIdLayer {
    ids: RequestIds,
}

impl RequestIdLayer {
    /// A layer with ids of its own.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestId::new(inner, self.ids.clone())
    }
}
