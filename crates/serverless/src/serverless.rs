//! The builder: a service, what surrounds it, and `run`.

use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use serde_json::Value;
use tower_service::Service;

use crate::body::Body;
use crate::event::StagePrefix;
use crate::on_schedule::{OnSchedule, Scheduled};
use crate::place::{Lambda, Place};
use crate::runtime::{self, Core, SnapStart, Stop};
use crate::warm_up::{Counters, WarmUp};
use crate::{BoxError, RunError, plain, signal};

/// How long before its end an invocation is answered 503.
const MARGIN: Duration = Duration::from_millis(200);

/// What the platform leaves between SIGTERM and the end is 500 ms; this is what all of it may take.
const SHUTDOWN: Duration = Duration::from_millis(150);

type ShuttingDown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `service` wherever the process is, with everything as it is by default. See [`Serverless`].
///
/// # Errors
/// [`RunError`] when it cannot begin or go on.
pub async fn run<S, B>(service: S) -> Result<(), RunError>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    Serverless::new(service).run().await
}

/// A service and what surrounds it on AWS Lambda. On a server only the service counts, and [`on_shutdown`].
///
/// Any tower service of HTTP requests with [`Body`] will do, such as a router of axum, unchanged:
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use paceline_serverless::{Serverless, WarmUp};
///
/// # async fn example() -> Result<(), paceline_serverless::RunError> {
/// let router: Router = Router::new().route("/", get(|| async { "hello" }));
/// Serverless::new(router)
///     .warm_up(WarmUp::new().schedules_named("shop-keep-warm"))
///     .on_schedule(|event| async move {
///         tracing::info!(name = event.name(), "a schedule");
///         Ok(serde_json::json!({"done": true}))
///     })
///     .run()
///     .await
/// # }
/// ```
///
/// [`on_shutdown`]: Serverless::on_shutdown
#[must_use]
pub struct Serverless<S> {
    service: S,
    warm_up: WarmUp,
    on_schedule: Option<OnSchedule>,
    snap_start: Vec<Arc<dyn SnapStart>>,
    on_shutdown: Option<Box<dyn FnOnce() -> ShuttingDown + Send>>,
    stage: StagePrefix,
    streaming: Option<bool>,
    margin: Duration,
    listen: Option<SocketAddr>,
    counters: Counters,
}

impl<S> Serverless<S> {
    /// The service with everything as it is by default.
    pub fn new(service: S) -> Self {
        Self {
            service,
            warm_up: WarmUp::new(),
            on_schedule: None,
            snap_start: Vec::new(),
            on_shutdown: None,
            stage: StagePrefix::default(),
            streaming: None,
            margin: MARGIN,
            listen: None,
            counters: Counters::new(),
        }
    }

    /// What counts as a warm-up, and what it does.
    pub fn warm_up(mut self, warm_up: WarmUp) -> Self {
        self.warm_up = warm_up;
        self
    }

    /// What takes the events that are neither requests nor warm-ups. Its value is what the invocation returns; its error
    /// fails the invocation, which whoever sent the event may then send again. Without it they fail, saying so.
    pub fn on_schedule<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Scheduled) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value, BoxError>> + Send + 'static,
    {
        self.on_schedule = Some(OnSchedule::new(handler));
        self
    }

    /// What is done around a snapshot. May be given several times.
    pub fn snap_start(mut self, resource: impl SnapStart) -> Self {
        self.snap_start.push(Arc::new(resource));
        self
    }

    /// What is done at the end, such as closing connections. On Lambda it gets 150 ms.
    pub fn on_shutdown<F, R>(mut self, shutdown: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.on_shutdown = Some(Box::new(move || Box::pin(shutdown())));
        self
    }

    /// Whether the path has the stage in front. By default it does not.
    pub fn stage_prefix(mut self, stage: StagePrefix) -> Self {
        self.stage = stage;
        self
    }

    /// Whether answers are streamed, instead of what `PACELINE_LAMBDA_STREAMING` says. The function URL must have the
    /// invoke mode `RESPONSE_STREAM`, or the REST API the transfer mode `STREAM`: others show the stream's frame as a body.
    pub fn streaming(mut self, streaming: bool) -> Self {
        self.streaming = Some(streaming);
        self
    }

    /// How long before the platform ends an invocation it is answered 503. 200 ms by default, and never more than half of
    /// what was left when the request came.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Where to listen on a server, instead of 127.0.0.1 and the port that `PORT` names (8080).
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// What is counted.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }
}

impl<S, B> Serverless<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    /// Runs it where the process is, until SIGTERM or Ctrl-C.
    ///
    /// # Errors
    /// [`RunError`] when it cannot begin or go on.
    pub async fn run(self) -> Result<(), RunError> {
        let place = Place::current()?;
        self.run_in(&place).await
    }

    /// Runs it in this place, until SIGTERM or Ctrl-C.
    ///
    /// # Errors
    /// [`RunError`] when it cannot begin or go on.
    pub async fn run_in(self, place: &Place) -> Result<(), RunError> {
        let stop = signal::stop().map_err(RunError::Signals)?;
        match place {
            Place::Lambda(lambda) => self.run_on_lambda(lambda, stop).await,
            Place::Server(server) | Place::Adapter(server) => {
                let here = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
                plain::serve(self.service, self.listen.unwrap_or(here), stop).await?;
                if let Some(shutdown) = self.on_shutdown {
                    shutdown().await;
                }
                Ok(())
            }
        }
    }

    async fn run_on_lambda(self, lambda: &Lambda, stop: Stop) -> Result<(), RunError> {
        self.counters.name(lambda.log_stream.as_deref());
        let core = Core {
            service: self.service,
            warm_up: self.warm_up,
            on_schedule: self.on_schedule,
            stage: self.stage,
            streams: self.streaming.unwrap_or(lambda.streaming),
            margin: self.margin,
            counters: self.counters,
        };
        let ran = runtime::run(lambda, core, &self.snap_start, stop).await;
        if let Some(shutdown) = self.on_shutdown
            && tokio::time::timeout(SHUTDOWN, shutdown()).await.is_err()
        {
            tracing::warn!("the end came before everything was shut down");
        }
        ran
    }
}

impl<S: fmt::Debug> fmt::Debug for Serverless<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serverless")
            .field("service", &self.service)
            .field("warm_up", &self.warm_up)
            .field("on_schedule", &self.on_schedule)
            .field("streaming", &self.streaming)
            .finish_non_exhaustive()
    }
}
