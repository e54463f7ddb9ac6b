//! The admin listener: `/metrics` for those who operate the service, nothing for its clients.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::header::CONTENT_TYPE;

use super::observe::{Recorder, process_page};
use super::source::Source;

#[derive(Clone)]
struct Admin {
    recorder: Recorder,
    source: Arc<Source>,
}

/// The routes of the admin listener.
pub(super) fn routes(recorder: Recorder, source: &Arc<Source>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Admin {
            recorder,
            source: Arc::clone(source),
        })
}

async fn metrics(State(admin): State<Admin>) -> ([(http::HeaderName, &'static str); 1], String) {
    let mut page = admin.recorder.render();
    let counts = admin.source.database.counts();
    let cache = admin.source.cache.statistics();
    for (name, kind, value) in [
        (
            "paceline_sql_statements_total",
            "counter",
            counts.statements,
        ),
        ("paceline_sql_rows_total", "counter", counts.rows),
        ("paceline_cache_hits_total", "counter", cache.hits),
        ("paceline_cache_misses_total", "counter", cache.misses),
        (
            "paceline_cache_encoded_hits_total",
            "counter",
            cache.encoded_hits,
        ),
        (
            "paceline_cache_bytes_saved_total",
            "counter",
            cache.bytes_saved,
        ),
        ("paceline_cache_upgrades_total", "counter", cache.upgrades),
        ("paceline_cache_bytes", "gauge", cache.bytes),
    ] {
        writeln!(page, "# TYPE {name} {kind}\n{name} {value}").expect("a string takes everything");
    }
    let name = "paceline_cache_encode_seconds_saved_total";
    let seconds = cache.time_saved.as_secs_f64();
    writeln!(page, "# TYPE {name} counter\n{name} {seconds}").expect("a string takes everything");
    page.push_str(&process_page());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], page)
}
