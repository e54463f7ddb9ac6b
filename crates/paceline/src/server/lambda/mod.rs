//! The service on AWS Lambda: events instead of connections, and nothing that needs a process that stays.

mod fitness;
mod schedules;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use paceline_serverless::{ClientAddress, Place, Serverless, WarmUp};
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;

use super::limits::{self, Limits};
use super::open::{self, Opened};
use super::parts::Parts;
use super::{ServeError, policies, routes};
use crate::config::{AllowedHosts, Config};

pub use fitness::Unfit;
pub(crate) use fitness::embedded_jobs;

/// How long a warm-up may ask the database whether it is there.
const PING: Duration = Duration::from_secs(1);
/// How long closing takes at most, once the platform ends the process.
const CLOSING: Duration = Duration::from_millis(150);

/// Whether what is lost with the process may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ephemeral {
    /// It is refused.
    Refused,
    /// It is used, with a warning: a demo.
    Warned,
}

/// Answers the function's events until the platform ends the process.
///
/// No address is listened on, `/metrics` and `[sql]` are not served, and `[[workers]]` do not run: between events the
/// process is frozen.
///
/// # Errors
/// [`ServeError`] when it cannot begin, or go on.
pub async fn run_on_lambda(
    mut config: Config,
    place: &Place,
    ephemeral: Ephemeral,
) -> Result<(), ServeError> {
    let unfit = fitness::unfit(&config);
    if ephemeral == Ephemeral::Refused && !unfit.is_empty() {
        return Err(ServeError::Lambda(unfit));
    }
    for reason in &unfit {
        tracing::warn!("{reason}");
    }
    for warning in fitness::warnings(&config) {
        tracing::warn!("{warning}");
    }
    fit(&mut config);
    let config = Arc::new(config);
    let opening = Arc::clone(&config);
    let opened = tokio::task::spawn_blocking(move || open::open(&opening)).await;
    let Opened {
        source,
        engine,
        origin,
    } = opened.map_err(std::io::Error::other)??;
    if let Some(reason) = fitness::unfit_secret(&origin) {
        match ephemeral {
            Ephemeral::Refused => return Err(ServeError::Lambda(vec![reason])),
            Ephemeral::Warned => tracing::warn!("{reason}"),
        }
    }
    let limits = Limits::new(&config)?;
    for warning in limits::warnings(&config) {
        tracing::warn!("{warning}");
    }
    let mut parts = Parts::start(&config, Arc::new(source), engine.clone())?;
    parts.set_durable(unfit.is_empty());
    let stop = CancellationToken::new();
    let service = policies::wrap(
        routes::all(&parts, &config, &stop),
        &limits,
        &config,
        config.server.listen,
    );
    let service = ServiceBuilder::new().map_request(bridged).service(service);
    let database = parts.source.database.clone();
    let warm_up = WarmUp::new().ping(PING, move || {
        let database = database.clone();
        async move {
            let is_readable = database.is_readable().await;
            is_readable
                .then_some(())
                .ok_or_else(|| "the database cannot be read".into())
        }
    });
    let mut serverless = Serverless::new(service).warm_up(warm_up);
    if let Some(engine) = engine {
        serverless = serverless.on_schedule(move |event| schedules::add(engine.clone(), event));
    }
    let ran = serverless.run_in(place).await;
    stop.cancel();
    if tokio::time::timeout(CLOSING, parts.stop(CLOSING))
        .await
        .is_err()
    {
        tracing::warn!("the end came before everything was closed");
    }
    ran.map_err(|error| ServeError::Serverless(Box::new(error)))
}

/// Takes out what only makes sense on a server.
fn fit(config: &mut Config) {
    // The gateway finds the function by its own name for it; no other host can lead here.
    config.server.allowed_hosts = AllowedHosts::Any;
    config.workers.clear();
}

/// A request as the routes know them. Who asks is what the gateway says, in place of a connection.
fn bridged(request: Request<paceline_serverless::Body>) -> Request<Body> {
    let mut request = request.map(Body::new);
    if let Some(ClientAddress(address)) = request.extensions().get().copied() {
        let peer = SocketAddr::new(address, 0);
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    request
}
