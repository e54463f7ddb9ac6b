//! Configuration of the observing layer.

use std::sync::Arc;

use paceline_http::request_id::RequestIds;
use tower::Layer;

use super::metrics::RequestMetrics;
use super::service::Observe;

/// Gives each request an id, counts it, times it and logs what went wrong.
#[derive(Clone)]
pub(in crate::server) struct ObserveLayer {
    shared: Arc<Shared>,
    ids: RequestIds,
}

pub(super) struct Shared {
    pub(super) metrics: RequestMetrics,
    pub(super) log_requests: bool,
}

impl ObserveLayer {
    /// `log_requests` writes one line a request; server errors are logged either way.
    pub(in crate::server) fn new(log_requests: bool) -> Self {
        let shared = Shared {
            metrics: RequestMetrics::new(),
            log_requests,
        };
        Self {
            shared: Arc::new(shared),
            ids: RequestIds::new(),
        }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe {
            inner,
            shared: Arc::clone(&self.shared),
            ids: self.ids.clone(),
        }
    }
}
