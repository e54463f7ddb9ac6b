//! Leave for pages of other origins (the Fetch standard's CORS protocol). By default nobody has it.

use axum::Router;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, Method};
use paceline_http::cors;

/// What drivers send.
const HEADERS: [&str; 7] = [
    "neon-connection-string",
    "neon-raw-text-output",
    "neon-array-mode",
    "neon-pool-opt-in",
    "neon-batch-isolation-level",
    "neon-batch-read-only",
    "neon-batch-deferrable",
];

/// The same routes, with answers to preflights of these origins; `*` is everyone.
pub(super) fn allow(router: Router, origins: &[String]) -> Router {
    let layer = match origins {
        [] => return router,
        [any] if any == "*" => cors::any_origin(),
        origins => cors::layer(origins.iter().map(String::as_str))
            .expect("the configuration takes origins only"),
    };
    let mut headers = HEADERS.map(HeaderName::from_static).to_vec();
    headers.extend([AUTHORIZATION, CONTENT_TYPE]);
    router.layer(layer.allow_methods([Method::POST]).allow_headers(headers))
}
