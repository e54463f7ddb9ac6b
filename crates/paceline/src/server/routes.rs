//! Every route of the API listener.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method};
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;
use tokio_util::sync::CancellationToken;

use super::email::{EmailRoute, send_email};
use super::jobs::{JobRoute, job};
use super::live::{JobEvents, StreamRoute, stream};
use super::login::{LoginRoute, login};
use super::parts::Parts;
use super::resource::{Routes, content_tag, failure};
use super::source::Source;
use super::{health, openapi, resource};
use crate::config::Config;

/// The routes of these parts.
pub(super) fn all(parts: &Parts, config: &Config, stop: &CancellationToken) -> Router {
    let source = &parts.source;
    let shared = Routes {
        source: Arc::clone(source),
        live: parts.live.clone(),
        relay: parts.relay_waker(),
    };
    let mut router = Router::new()
        .merge(resource::routes(shared, config.export.enabled))
        .merge(health::routes(source, stop))
        .route(
            "/openapi.json",
            get(openapi_json).with_state(document(parts, config)),
        );
    if let Some(settings) = &config.login {
        let route = LoginRoute::new(Arc::clone(source), settings);
        router = router.route(&settings.path, post(login).with_state(route));
    }
    if let (Some(settings), Some(live)) = (&config.stream, &parts.live) {
        let jobs = match &config.email {
            Some(email) if email.anonymous => JobEvents::Everybody,
            Some(_) => JobEvents::TokenHolders,
            None => JobEvents::Nobody,
        };
        let state = StreamRoute {
            source: Arc::clone(source),
            live: live.clone(),
            jobs,
        };
        router = router.route(&settings.path, get(stream).with_state(state));
    }
    if let (Some(mail), Some(engine)) = (&parts.mail, &parts.engine) {
        let queues = [mail.queue.name().clone()].into();
        let token = !mail.settings.anonymous;
        let jobs = JobRoute {
            source: Arc::clone(source),
            engine: engine.clone(),
            queues,
            token,
        };
        let route = EmailRoute::new(
            mail.queue.clone(),
            Arc::clone(&mail.settings),
            Arc::clone(source),
        );
        let route = route.durable(mail.is_durable);
        router = router
            .route("/api/jobs/{queue}/{id}", get(job).with_state(jobs))
            .route(&mail.settings.path, post(send_email).with_state(route));
    }
    router
        .fallback(async || {
            Problem::not_found("There is nothing here. /openapi.json lists what is served.")
        })
        .method_not_allowed_fallback(async |method: Method| {
            Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").with_detail(
                format!("{method} is not served here. Use one of the methods in Allow."),
            )
        })
}

#[derive(Clone)]
struct Document {
    representation: Representation,
    source: Arc<Source>,
}

fn document(parts: &Parts, config: &Config) -> Document {
    let source = &parts.source;
    let described = openapi::Parts {
        email: parts.mail.as_ref().map(|mail| mail.settings.path.clone()),
        email_token: parts
            .mail
            .as_ref()
            .is_some_and(|mail| !mail.settings.anonymous),
        login: config.login.as_ref().map(|login| login.path.clone()),
        stream: config.stream.as_ref().map(|stream| stream.path.clone()),
        jobs: parts.mail.is_some(),
        api_keys: !config.api_keys.is_empty(),
        export: config.export.enabled,
    };
    let text = openapi::document(source, &described).to_string();
    let tag = content_tag(text.as_bytes());
    let representation = Representation::new(HeaderValue::from_static("application/json"), text)
        .with_tag(tag)
        .with_header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Document {
        representation,
        source: Arc::clone(source),
    }
}

async fn openapi_json(
    State(document): State<Document>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let compressor = &document.source.compressor;
    let response = document
        .representation
        .into_response(&method, &headers, compressor)
        .await;
    response
        .map(|response| response.map(Body::new))
        .map_err(failure::precondition)
}
