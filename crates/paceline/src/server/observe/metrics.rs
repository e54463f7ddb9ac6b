//! Prometheus metrics: a recorder for the process, and one counter and one histogram a route.

use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Histogram, counter, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::route::Route;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];
/// Samples are folded into the buckets this often, so that memory stays flat with nobody scraping.
const UPKEEP: Duration = Duration::from_secs(5);
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The process's metrics recorder could not be set.
#[derive(Debug, thiserror::Error)]
#[error("the metrics recorder cannot be installed")]
pub(in crate::server) struct RecorderRefused(#[source] metrics_exporter_prometheus::BuildError);

/// Collects what the whole process counts and renders it for `/metrics`.
#[derive(Clone)]
pub(in crate::server) struct Recorder {
    handle: PrometheusHandle,
}

impl Recorder {
    /// Installs the recorder for this process and starts its upkeep.
    pub(in crate::server) fn install() -> Result<Self, RecorderRefused> {
        let builder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .map_err(RecorderRefused)?;
        let handle = builder.install_recorder().map_err(RecorderRefused)?;
        let upkeep = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self { handle })
    }

    /// Everything recorded so far, in the Prometheus text format.
    pub(in crate::server) fn render(&self) -> String {
        self.handle.render()
    }
}

/// The handles of every route, looked up once.
pub(super) struct RequestMetrics {
    counts: Vec<[Counter; 5]>,
    times: Vec<Histogram>,
}

impl RequestMetrics {
    pub(super) fn new() -> Self {
        let count = |route: Route| {
            CLASSES.map(
                |class| counter!("http_requests_total", "route" => route.name(), "status" => class),
            )
        };
        let time =
            |route: Route| histogram!("http_request_duration_seconds", "route" => route.name());
        Self {
            counts: Route::ALL.map(count).into(),
            times: Route::ALL.map(time).into(),
        }
    }

    pub(super) fn record(&self, route: Route, status: StatusCode, elapsed: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.counts[route.index()][class].increment(1);
        self.times[route.index()].record(elapsed);
    }
}
