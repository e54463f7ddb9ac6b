//! What runs besides the listeners: the database, the job engine, the mail worker, the live stream.

use std::sync::Arc;
use std::time::Duration;

use paceline_jobs::{EngineHandle, Queue, Shutdown, Worker};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::deliveries::Deliveries;
use super::live::Live;
use super::outbox::Relay;
use super::source::Source;
use super::{Bound, SecretOrigin, ServeError, email};
use crate::config::{self, Config};

/// The running parts of one service.
pub(super) struct Parts {
    pub(super) source: Arc<Source>,
    pub(super) engine: Option<EngineHandle>,
    pub(super) live: Option<Live>,
    pub(super) mail: Option<Mail>,
    deliveries: Deliveries,
    /// Moves the jobs that follow writes.
    relay: Option<Relay>,
}

/// The mail queue and its worker.
pub(super) struct Mail {
    pub(super) queue: Queue<email::Email>,
    pub(super) settings: Arc<config::Email>,
    /// Whether mails outlive the process.
    pub(super) is_durable: bool,
    worker: Worker,
}

impl Parts {
    /// Starts what the configuration asks for.
    pub(super) fn start(
        config: &Config,
        source: Arc<Source>,
        engine: Option<EngineHandle>,
    ) -> Result<Self, ServeError> {
        let live = config.stream.as_ref().map(Live::new);
        let mail = match (&config.email, &engine) {
            (Some(settings), Some(engine)) => Some(Mail::start(settings, engine)?),
            _ => None,
        };
        if let (Some(live), Some(engine), Some(mail)) = (&live, &engine, &mail) {
            live.follow_jobs(engine, mail.queue.name().clone());
        }
        let deliveries = Deliveries::start(&config.workers, engine.as_ref())?;
        let relay = match &engine {
            Some(engine) if source.has_follows() => {
                Some(Relay::start(source.database.clone(), engine.clone()))
            }
            _ => None,
        };
        Ok(Self {
            source,
            engine,
            live,
            mail,
            deliveries,
            relay,
        })
    }

    /// Whether jobs outlive the process, which answers then say.
    pub(super) fn set_durable(&mut self, is_durable: bool) {
        if let Some(mail) = &mut self.mail {
            mail.is_durable = is_durable;
        }
    }

    /// What is called after a write that jobs may follow.
    pub(super) fn relay_waker(&self) -> Option<Arc<Notify>> {
        self.relay.as_ref().map(Relay::waker)
    }

    /// What is said once the listeners are open.
    pub(super) fn bound(
        &self,
        api: &TcpListener,
        admin: Option<&TcpListener>,
        secret: SecretOrigin,
    ) -> std::io::Result<Bound> {
        let resources = &self.source.resources;
        Ok(Bound {
            api: api.local_addr()?,
            admin: admin.map(TcpListener::local_addr).transpose()?,
            sql: None,
            resources: resources
                .all()
                .iter()
                .map(|resource| resource.path.clone())
                .collect(),
            hidden: resources.hidden().to_vec(),
            secret,
        })
    }

    /// Ends the live streams as soon as the stop begins: they would keep the drain waiting.
    pub(super) fn end_streams_on(&self, stop: &CancellationToken) {
        if let Some(live) = self.live.clone() {
            let stop = stop.clone();
            tokio::spawn(async move {
                stop.cancelled().await;
                live.drain();
            });
        }
    }

    /// Stops in order: the workers, the job engine, the database.
    pub(super) async fn stop(self, grace: Duration) -> Result<(), ServeError> {
        if let Some(relay) = self.relay {
            relay.stop().await;
        }
        let deliveries = tokio::spawn(self.deliveries.stop(grace));
        if let Some(mail) = &self.mail {
            let stopped = mail.worker.stop(grace).await;
            tracing::info!(
                finished = stopped.finished,
                handed_back = stopped.handed_back,
                abandoned = stopped.abandoned,
                "the mail worker has stopped"
            );
        }
        deliveries.await.map_err(std::io::Error::other)?;
        if let Some(engine) = &self.engine {
            engine.stop(grace).await;
        }
        let source = self.source;
        let closed = tokio::task::spawn_blocking(move || source.database.close()).await;
        Ok(closed.map_err(std::io::Error::other)?)
    }
}

impl Mail {
    fn start(settings: &config::Email, engine: &EngineHandle) -> Result<Self, ServeError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| ServeError::Email(error);
        let queue = Queue::new(engine, &settings.queue).map_err(|error| failed(Box::new(error)))?;
        let queue = queue.max_waiting(settings.max_waiting);
        let worker = email::start(&queue, settings).map_err(|error| failed(Box::new(error)))?;
        Ok(Self {
            queue,
            settings: Arc::new(settings.clone()),
            is_durable: true,
            worker,
        })
    }
}
