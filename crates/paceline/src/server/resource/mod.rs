//! Tables as routes.

mod answer;
mod bulk;
mod export;
pub(super) mod failure;
mod follow;
mod lines;
mod list;
mod negotiate;
mod one;
mod precondition;
mod repeat;
mod reply;
mod report;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawPathParams, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::header::CACHE_CONTROL;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Uri};
use paceline_data::resource::{AccessVerb, Resource, ResourceId, WriteVerb};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::EntityTag;
use paceline_http::problem::Problem;
use tokio::sync::Notify;

pub(super) use follow::Follow;
pub(crate) use repeat::schema as idempotency_schema;

use super::live::Live;
use super::source::Source;

/// What the routes of all resources share.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    pub(super) source: Arc<Source>,
    pub(super) live: Option<Live>,
    /// Wakes what moves the jobs that follow writes.
    pub(super) relay: Option<Arc<Notify>>,
}

impl Routes {
    fn wake_relay(&self) {
        if let Some(relay) = &self.relay {
            relay.notify_one();
        }
    }
}

/// The routes of all resources.
pub(super) fn routes(shared: Routes, exports: bool) -> Router {
    let source = Arc::clone(&shared.source);
    let rows = Router::new()
        .route("/api/{resource}", any(many))
        .route("/api/{resource}/{key}", any(row))
        .with_state(shared);
    if exports {
        let compression = CompressionLayer::with_compressor(Arc::clone(&source.compressor));
        rows.route(
            "/api/export/{resource}",
            get(export::export).layer(compression).with_state(source),
        )
    } else {
        rows
    }
}

/// `/api/{resource}`.
async fn many(
    State(shared): State<Routes>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let source = &*shared.source;
    let resource = source.resources.by_path(&name).ok_or_else(no_resource)?;
    let (head, body) = request.into_parts();
    match head.method {
        Method::GET | Method::HEAD => {
            source.check(resource.id, AccessVerb::List, &head.headers)?;
            list::list(source, resource, &head).await
        }
        Method::POST if resource.can(WriteVerb::Create) => {
            source.check(resource.id, AccessVerb::Create, &head.headers)?;
            write::create(&shared, resource, &head, body).await
        }
        _ => Err(Problem::method_not_allowed(&methods(
            resource,
            &[(WriteVerb::Create, Method::POST)],
        ))),
    }
}

/// `/api/{resource}/{key}`.
async fn row(
    State(shared): State<Routes>,
    path: RawPathParams,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let source = &*shared.source;
    let name = path
        .iter()
        .find(|(name, _)| *name == "resource")
        .map_or("", |(_, value)| value);
    let resource = source.resources.by_path(name).ok_or_else(no_resource)?;
    let (head, body) = request.into_parts();
    if head.method == Method::GET || head.method == Method::HEAD {
        source.check(resource.id, AccessVerb::Read, &head.headers)?;
        return one::one(source, resource, &head).await;
    }
    let verbs = [
        (WriteVerb::Update, Method::PATCH),
        (WriteVerb::Replace, Method::PUT),
        (WriteVerb::Delete, Method::DELETE),
    ];
    let verb = verbs
        .iter()
        .find(|(verb, method)| *method == head.method && resource.can(*verb));
    let Some((verb, _)) = verb else {
        return Err(Problem::method_not_allowed(&methods(resource, &verbs)));
    };
    let access = match verb {
        WriteVerb::Delete => AccessVerb::Delete,
        _ => AccessVerb::Update,
    };
    source.check(resource.id, access, &head.headers)?;
    write::change(&shared, resource, *verb, &head, body).await
}

/// Path and query: what a request asks for, whatever it accepts.
fn text_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

/// The methods in `Allow`.
fn methods(resource: &Resource, verbs: &[(WriteVerb, Method)]) -> Vec<Method> {
    let writes = verbs
        .iter()
        .filter(|(verb, _)| resource.can(*verb))
        .map(|(_, method)| method.clone());
    [Method::GET, Method::HEAD]
        .into_iter()
        .chain(writes)
        .collect()
}

/// Caches may keep an answer and must ask each time whether it is still current, which costs no query here; left
/// to themselves they would guess for how long (RFC 9111 section 4.2.2). What only some may read is not for shared
/// ones (section 3).
fn marked(
    source: &Source,
    base: (ResourceId, AccessVerb),
    nested: &[(ResourceId, AccessVerb)],
    mut response: Response,
) -> Response {
    let rule = if source.is_for_all(base, nested) {
        "no-cache"
    } else {
        "private, no-cache"
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(rule));
    response
}

/// The tag of an answer made from nothing but its bytes.
pub(super) fn content_tag(body: &[u8]) -> EntityTag {
    answer::table_tag(None, &[], (false, body))
}

/// The problem for a path without a resource.
fn no_resource() -> Problem {
    Problem::not_found("There is no such resource. /openapi.json lists what is served.")
}
