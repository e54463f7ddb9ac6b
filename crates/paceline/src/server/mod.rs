//! The service: listeners, policies, routes, and a stop that lets work finish.

mod admin;
mod connections;
mod health;
mod host;
mod observe;
mod open;
mod openapi;
mod policies;
mod resource;
mod signals;
mod source;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method};
use paceline_data::resource::HiddenColumn;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use source::Source;

pub use open::{Unopenable, describe};

/// A service ended in an error, or never began.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Something it needs cannot be opened.
    #[error(transparent)]
    Open(#[from] Unopenable),
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: is another program using it? --listen chooses another address")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The operating system refuses what a server needs.
    #[error("the operating system refuses to set up the server")]
    System(#[from] std::io::Error),
    /// The metrics cannot be collected.
    #[error("the metrics cannot be collected")]
    Metrics(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a started service has to say.
#[derive(Debug, Clone)]
pub struct Bound {
    /// Where the API answers.
    pub api: SocketAddr,
    /// Where `/metrics` answers.
    pub admin: Option<SocketAddr>,
    /// The paths of the resources under `/api/`.
    pub resources: Vec<String>,
    /// The columns that were hidden because of their names.
    pub hidden: Vec<HiddenColumn>,
}

/// Serves until SIGTERM or Ctrl-C, then drains.
///
/// `ready` is called once both listeners are open.
///
/// # Errors
/// [`ServeError`] when it cannot begin.
pub async fn run(config: Config, ready: impl FnOnce(&Bound) + Send) -> Result<(), ServeError> {
    let config = Arc::new(config);
    let opening = Arc::clone(&config);
    let source = tokio::task::spawn_blocking(move || open::open(&opening))
        .await
        .map_err(std::io::Error::other)??;
    let source = Arc::new(source);
    let stop = signals::stop_on_signal()?;
    let api = listen(config.server.listen).await?;
    let recorder =
        observe::Recorder::install().map_err(|error| ServeError::Metrics(Box::new(error)))?;
    let admin = match config.server.admin_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let bound = Bound {
        api: api.local_addr()?,
        admin: admin.as_ref().map(TcpListener::local_addr).transpose()?,
        resources: source
            .resources
            .all()
            .iter()
            .map(|resource| resource.path.clone())
            .collect(),
        hidden: source.resources.hidden().to_vec(),
    };
    ready(&bound);
    if let Some(listener) = admin {
        let routes = admin::routes(recorder, &source);
        tokio::spawn(connections::serve(
            listener,
            routes,
            stop.clone(),
            config.server.drain_timeout,
        ));
    }
    let service = policies::wrap(routes(&source, &config, &stop), &config.server, bound.api);
    let abandoned = connections::serve(api, service, stop, config.server.drain_timeout).await;
    if abandoned > 0 {
        tracing::warn!(
            abandoned,
            "connections were still open after the drain timeout"
        );
    }
    tokio::task::spawn_blocking(move || source.database.close())
        .await
        .map_err(std::io::Error::other)?;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen(address, error))
}

fn routes(source: &Arc<Source>, config: &Config, stop: &CancellationToken) -> Router {
    let parts = openapi::Parts {
        export: config.export.enabled,
        ..openapi::Parts::default()
    };
    let text = openapi::document(&source.resources, &parts).to_string();
    let tag = resource::content_tag(text.as_bytes());
    let representation =
        Representation::new(HeaderValue::from_static("application/json"), text).with_tag(tag);
    let document = Document {
        representation,
        source: Arc::clone(source),
    };
    Router::new()
        .merge(resource::routes(source, config.export.enabled))
        .merge(health::routes(source, stop))
        .route("/openapi.json", get(openapi_json).with_state(document))
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
        .map_err(resource::failure::precondition)
}
