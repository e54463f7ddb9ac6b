//! `[[workers]]`: queues whose jobs are delivered to URLs while the server runs.

use std::sync::Arc;
use std::time::Duration;

use paceline_jobs::{EngineHandle, Shutdown, Worker};
use tokio::task::JoinSet;

use super::ServeError;
use crate::config;
use crate::processor::http::{self, Reach, Tally};

/// The running workers.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Vec<Worker>);

impl Deliveries {
    /// Starts a worker for each of `settings`.
    pub(super) fn start(
        settings: &[config::Worker],
        engine: Option<&EngineHandle>,
    ) -> Result<Self, ServeError> {
        let Some(engine) = engine else {
            return Ok(Self::default());
        };
        let workers = settings.iter().map(|settings| start(settings, engine));
        workers.collect::<Result<_, _>>().map(Self)
    }

    /// Stops them all at the same time.
    pub(super) async fn stop(self, grace: Duration) {
        let mut stopping = JoinSet::new();
        for worker in self.0 {
            stopping.spawn(async move { (worker.queue().clone(), worker.stop(grace).await) });
        }
        while let Some(stopped) = stopping.join_next().await {
            if let Ok((queue, stopped)) = stopped {
                tracing::info!(
                    %queue,
                    finished = stopped.finished,
                    handed_back = stopped.handed_back,
                    abandoned = stopped.abandoned,
                    "a worker has stopped"
                );
            }
        }
    }
}

fn start(settings: &config::Worker, engine: &EngineHandle) -> Result<Worker, ServeError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ServeError::Worker {
        queue: settings.queue.to_string(),
        source,
    };
    let queue = engine
        .queue(&settings.queue)
        .map_err(|error| failed(Box::new(error)))?;
    let delivery = http::Settings {
        target: settings.http.uri().clone(),
        reach: if settings.allow_private {
            Reach::Any
        } else {
            Reach::Public
        },
        timeout: settings.timeout,
        secret: settings.secret.clone(),
        concurrency: settings.concurrency,
    };
    let worker = http::start(queue, &delivery, Arc::new(Tally::default()));
    worker.map_err(|error| failed(Box::new(error)))
}
