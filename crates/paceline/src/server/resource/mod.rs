//! Tables as routes.

mod answer;
mod export;
pub(super) mod failure;
mod links;
mod list;
mod negotiate;
mod one;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::source::Source;
use paceline_http::conditional::EntityTag;

/// The routes of all resources.
pub(super) fn routes(source: &Arc<Source>, exports: bool) -> Router {
    let mut router = Router::new()
        .route("/api/{resource}", get(list::list))
        .route("/api/{resource}/{key}", get(one::one));
    if exports {
        router = router.route("/api/export/{resource}", get(export::export));
    }
    router.with_state(Arc::clone(source))
}

/// The tag of an answer that is the same for the life of the process.
pub(super) fn content_tag(body: &[u8]) -> EntityTag {
    answer::table_tag(None, &[], body)
}

/// The problem for a path without a resource.
fn no_resource() -> paceline_http::problem::Problem {
    paceline_http::problem::Problem::not_found(
        "There is no such resource. /openapi.json lists what is served.",
    )
}
