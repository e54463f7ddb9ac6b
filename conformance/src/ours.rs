//! Our layers around the scripted handler: what a user of `paceline-http` puts together.

use std::future::{Ready, ready};
use std::sync::Arc;

use http::{HeaderMap, StatusCode, request};
use paceline_http::compression::{CompressionLayer, EncodedCache};
use paceline_http::conditional::{
    ConditionalLayer, EntityTag, KnownState, Validator, ValidatorLayer,
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use crate::origin::{self, Script, serve};

/// Whether encoded bodies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Each answer is encoded anew.
    None,
    /// Encoded bodies are kept by their content.
    Kept,
}

/// Serves the script through compression, outermost, preconditions before the work, and tags of bodies.
pub async fn serve_ours(listener: TcpListener, script: Arc<Script>, memory: Memory) {
    let compression = match memory {
        Memory::None => CompressionLayer::default(),
        Memory::Kept => CompressionLayer::default().with_cache(EncodedCache::new(64 * 1024 * 1024)),
    };
    let guarded = |request: &request::Parts, script: &Script| {
        script
            .find(request.uri.path())
            .is_some_and(|(behaviour, _)| behaviour.required)
    };
    let requires = Arc::clone(&script);
    let validator = ValidatorLayer::new(Versions(Arc::clone(&script)))
        .require_precondition_if(move |request| guarded(request, &requires));
    let service = ServiceBuilder::new()
        .layer(compression)
        .layer(validator)
        .layer(ConditionalLayer::new())
        .service(origin::service(script));
    serve(listener, service).await;
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
