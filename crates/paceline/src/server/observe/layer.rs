//! Configuration of the observing layer.

use std::sync::Arc;

use tower::Layer;

use super::metrics::RequestMetrics;
use super::request_id::RequestIds;
use super::service::Observe;

/// Gives each request an id, counts it, times it and logs what went wrong.
#[derive(Clone)]
pub(in crate::server) struct ObserveLayer {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) ids: RequestIds,
    pub(super) metrics: RequestMetrics,
    pub(super) log_requests: bool,
}

impl ObserveLayer {
    /// `log_requests` writes one line a request; server errors are logged either way.
    pub(in crate::server) fn new(log_requests: bool) -> Self {
        let shared = Shared {
            ids: RequestIds::new(),
            metrics: RequestMetrics::new(),
            log_requests,
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}
