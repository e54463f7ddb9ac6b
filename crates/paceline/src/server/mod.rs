//! The service: listeners, policies, routes, and a stop that lets work finish.

mod admin;
mod body;
mod connections;
mod deliveries;
mod email;
mod gateway;
mod health;
mod host;
mod idempotency_key;
mod jobs;
mod lambda;
mod limits;
mod live;
mod login;
mod observe;
mod open;
mod openapi;
mod outbox;
mod parts;
mod plans;
mod policies;
mod rds_proxy;
mod related;
mod resource;
mod routes;
mod secret;
mod skip_locked;
mod socket;
mod source;
mod sql;

use std::net::SocketAddr;
use std::sync::Arc;

use paceline_data::resource::HiddenColumn;
use tokio::net::TcpListener;

use crate::config::Config;
use gateway::Gateway;
use limits::Limits;
use open::Opened;
use parts::Parts;

pub use crate::job_store::CannotOpen;
pub(crate) use lambda::embedded_jobs;
pub use lambda::{Ephemeral, Unfit, run_on_lambda};
pub use open::{Unopenable, describe};
pub(crate) use outbox::schema as outbox_schema;
pub(crate) use resource::idempotency_schema;
pub use secret::{SecretError, SecretOrigin};

/// A service ended in an error, or never began.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Something it needs cannot be opened.
    #[error(transparent)]
    Open(#[from] Unopenable),
    /// Jobs cannot be delivered as configured.
    #[error("the jobs of the queue {queue} cannot be delivered")]
    Worker {
        /// The queue.
        queue: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Mails cannot be delivered as configured.
    #[error("mails cannot be delivered")]
    Email(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: is another program using it? --listen chooses another address")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The address of the metrics cannot be listened on.
    #[error(
        "cannot listen on {0} for the metrics: is another program using it? --admin-listen chooses another address, or \
         off"
    )]
    AdminListen(SocketAddr, #[source] std::io::Error),
    /// The address of `[sql]` cannot be listened on.
    #[error(
        "cannot listen on {0} for [sql]: is another program using it? `listen` there chooses another address"
    )]
    SqlListen(SocketAddr, #[source] std::io::Error),
    /// The operating system refuses what a server needs.
    #[error("the operating system refuses to set up the server")]
    System(#[from] std::io::Error),
    /// Requests cannot be limited as configured.
    #[error("requests cannot be limited as configured")]
    Limits(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The configuration is not for AWS Lambda.
    #[error("this cannot run on AWS Lambda:\n{}", lines(.0))]
    Lambda(Vec<Unfit>),
    /// Events cannot be asked for or answered.
    #[error("the function cannot go on")]
    Serverless(#[source] Box<dyn std::error::Error + Send + Sync>),
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
    /// Where `/sql` answers.
    pub sql: Option<SocketAddr>,
    /// The paths of the resources under `/api/`.
    pub resources: Vec<String>,
    /// The columns that were hidden because of their names.
    pub hidden: Vec<HiddenColumn>,
    /// Where the secret comes from that signs cursors and login tokens.
    pub secret: SecretOrigin,
}

/// Serves until SIGTERM or Ctrl-C, then drains: requests and jobs get `drain_timeout` to finish, streams
/// end, what is left of the jobs is handed back.
///
/// `ready` is called once both listeners are open.
///
/// # Errors
/// [`ServeError`] when it cannot begin.
pub async fn run(config: Config, ready: impl FnOnce(&Bound) + Send) -> Result<(), ServeError> {
    let config = Arc::new(config);
    let opening = Arc::clone(&config);
    let opened = tokio::task::spawn_blocking(move || open::open(&opening)).await;
    let Opened {
        source,
        engine,
        origin,
    } = opened.map_err(std::io::Error::other)??;
    let source = Arc::new(source);
    let limits = Limits::new(&config)?;
    for warning in limits::warnings(&config) {
        tracing::warn!("{warning}");
    }
    let stop = crate::signals::stop_on_signal()?;
    let api = listen(config.server.listen, ServeError::Listen).await?;
    let admin = match config.server.admin_listen {
        Some(address) => Some(listen(address, ServeError::AdminListen).await?),
        None => None,
    };
    let gateway = Gateway::open(&config).await?;
    let recorder =
        observe::Recorder::install().map_err(|error| ServeError::Metrics(Box::new(error)))?;
    let parts = Parts::start(&config, source, engine)?;
    let mut bound = parts.bound(&api, admin.as_ref(), origin)?;
    bound.sql = gateway.as_ref().map(Gateway::address).transpose()?;
    let drain = config.server.drain_timeout;
    let waits = connections::Waits {
        head: config.server.head_timeout,
        stall: config.server.stall_timeout,
        drain,
    };
    if let Some(listener) = admin {
        let routes = admin::routes(recorder, &parts.source);
        tokio::spawn(connections::serve(listener, routes, stop.clone(), waits));
    }
    let gateway = gateway.map(|gateway| gateway.serve(&stop, waits));
    parts.end_streams_on(&stop);
    let routes = routes::all(&parts, &config, &stop);
    let service = policies::wrap(routes, &limits, &config, bound.api);
    ready(&bound);
    let abandoned = connections::serve(api, service, stop, waits).await;
    if abandoned > 0 {
        tracing::warn!(
            abandoned,
            "connections were still open after the drain timeout"
        );
    }
    if let Some(gateway) = gateway {
        gateway.await.map_err(std::io::Error::other)?;
    }
    parts.stop(drain).await
}

/// One a line.
fn lines(unfit: &[Unfit]) -> String {
    let lines: Vec<String> = unfit.iter().map(|unfit| format!("  {unfit}")).collect();
    lines.join("\n")
}

async fn listen(
    address: SocketAddr,
    refused: impl FnOnce(SocketAddr, std::io::Error) -> ServeError,
) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| refused(address, error))
}
