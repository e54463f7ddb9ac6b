//! Our layers around the scripted handler: what a user of `paceline-http` puts together.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Method, Request, Response, StatusCode, request};
use hyper::body::Incoming;
use paceline_http::compression::{
    CompressionLayer, CompressionPolicy, Compressor, EncodedCache, KeyedBy,
};
use paceline_http::conditional::{
    ConditionalLayer, EntityTag, KnownState, Validator, ValidatorLayer,
};
use paceline_http::problem::Problem;
use paceline_http::representation::{Entry, Representation, VariantCache};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::origin::{self, Script, serve};

/// Bytes that are kept.
const BUDGET: u64 = 64 * 1024 * 1024;

/// What is kept between requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Memory {
    /// Nothing: each answer is made and encoded anew.
    None,
    /// Encoded bodies, by their content.
    Bodies,
    /// Encoded bodies, by their strong tag and URL where they have one.
    Tagged,
    /// Whole answers with all their codings, as the `paceline` binary does.
    Answers,
}

type Cache = VariantCache<(), Infallible>;

/// Serves the script through compression, outermost, preconditions before the work, and tags of bodies; with kept
/// answers, reads of whole bodies are answered from those instead.
pub async fn serve_ours(listener: TcpListener, script: Arc<Script>, memory: Memory) {
    let compression = match memory {
        Memory::Bodies => CompressionLayer::default().with_cache(EncodedCache::new(BUDGET)),
        Memory::Tagged => {
            let cache = EncodedCache::keyed(BUDGET, KeyedBy::Validator);
            CompressionLayer::default().with_cache(cache)
        }
        Memory::None | Memory::Answers => CompressionLayer::default(),
    };
    let requires = Arc::clone(&script);
    let is_required = move |request: &request::Parts| {
        let found = requires.find(request.uri.path());
        found.is_some_and(|(behaviour, _)| behaviour.required)
    };
    let validator =
        ValidatorLayer::new(Versions(Arc::clone(&script))).require_precondition_if(is_required);
    let layers = ServiceBuilder::new()
        .layer(compression)
        .layer(validator)
        .layer(ConditionalLayer::new())
        .service(origin::service(Arc::clone(&script)));
    if memory != Memory::Answers {
        serve(listener, layers).await;
        return;
    }
    let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
    let cache: Arc<Cache> = Arc::new(VariantCache::new(BUDGET, compressor));
    let service = service_fn(move |request: Request<Incoming>| {
        let (cache, layers) = (Arc::clone(&cache), layers.clone());
        let kept = from_memory(&cache, &script, &request);
        async move {
            match kept {
                Some(entry) => Ok(respond(&entry, &request).await),
                None => layers
                    .oneshot(request)
                    .await
                    .map(|answer| answer.map(Body::new)),
            }
        }
    });
    serve(listener, service).await;
}

/// The answer that was kept, or can be: to a read, 200, with a validator of its own, whole. The script never changes, so
/// that the path alone says which it is.
fn from_memory(
    cache: &Cache,
    script: &Script,
    request: &Request<Incoming>,
) -> Option<Arc<Entry<()>>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let key = request.uri().path().as_bytes();
    cache
        .get(key, &())
        .or_else(|| Some(cache.insert(key, (), representation(script, request)?)))
}

fn representation(script: &Script, request: &Request<Incoming>) -> Option<Representation> {
    let (behaviour, headers) = script.find(request.uri().path())?;
    if behaviour.status != 200 || behaviour.is_stream() || behaviour.ranges {
        return None;
    }
    let tag = EntityTag::parse(headers.get("etag")?.as_bytes()).ok()?;
    let content_type = headers.get("content-type")?.clone();
    let mut kept = Representation::new(content_type, behaviour.whole()).with_tag(tag);
    for (name, value) in headers {
        kept = match name.as_str() {
            "etag" | "content-type" => kept,
            "last-modified" => match value.to_str().map(httpdate::parse_http_date) {
                Ok(Ok(time)) => kept.with_last_modified(time),
                _ => kept,
            },
            _ => kept.with_header(name.clone(), value.clone()),
        };
    }
    Some(kept)
}

async fn respond(entry: &Arc<Entry<()>>, request: &Request<Incoming>) -> Response<Body> {
    match entry.respond(request.method(), request.headers()).await {
        Ok(response) => response.map(Body::new),
        Err(refused) => Problem::from(refused).into_http_response().map(Body::from),
    }
}

/// The versions of the script's resources, known before the handler runs.
#[derive(Debug, Clone)]
struct Versions(Arc<Script>);

impl Validator for Versions {
    type Future = Ready<Option<KnownState>>;

    fn state(&self, request: &request::Parts) -> Self::Future {
        let found = self.0.find(request.uri.path());
        ready(found.and_then(|(behaviour, headers)| {
            let is_fine = behaviour.status == StatusCode::OK.as_u16();
            is_fine.then(|| known(headers)).flatten()
        }))
    }
}

/// What the head of the plain answer says of its version; `None` when it says nothing.
fn known(headers: &HeaderMap) -> Option<KnownState> {
    let text = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    let tag = text("etag").and_then(|value| EntityTag::parse(value).ok());
    let modified = text("last-modified")
        .and_then(|value| httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok());
    let mut state = match (tag, modified) {
        (None, None) => return None,
        (Some(tag), _) => KnownState::tagged(tag),
        (None, Some(_)) => KnownState::untagged(),
    };
    if let Some(modified) = modified {
        state = state.with_last_modified(modified);
    }
    for name in ["cache-control", "expires", "content-location", "vary"] {
        for value in headers.get_all(name) {
            state = state.with_header(http::HeaderName::from_static(name), value.clone());
        }
    }
    Some(state)
}
