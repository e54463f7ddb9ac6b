//! Moving jobs from the table to the job store: take, send, settle.

use std::sync::Arc;
use std::time::Duration;

use paceline_data::write::WriteError;
use paceline_data::{Database, Value};
use paceline_jobs::engine::NewJob;
use paceline_jobs::{
    AddError, Clock as _, EngineError, EngineHandle, OutboxEntry, QueueName, SystemClock,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::claim::{BATCH, Fate, NotTaken, SENDING, settle, take};

/// How often the table is looked into when nobody wakes the relay: jobs of other servers, and those left by one that
/// was killed.
const POLL: Duration = Duration::from_secs(1);
/// The wait after the store or the database failed, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Moves jobs until it is stopped. Several may run for the same table.
#[derive(Debug)]
pub(in crate::server) struct Relay {
    wake: Arc<Notify>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Relay {
    /// Starts moving jobs from the database to the store.
    pub(in crate::server) fn start(database: Database, engine: EngineHandle) -> Self {
        let (wake, stop) = (Arc::<Notify>::default(), CancellationToken::new());
        let relay = Mover {
            database,
            engine,
            wake: Arc::clone(&wake),
            stop: stop.clone(),
        };
        let running = tokio::spawn(async move { relay.run().await });
        Self {
            wake,
            stop,
            running,
        }
    }

    /// What a commit calls.
    pub(in crate::server) fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Stops. What is left is moved at the next start.
    pub(in crate::server) async fn stop(self) {
        self.stop.cancel();
        let _ = self.running.await;
    }
}

struct Mover {
    database: Database,
    engine: EngineHandle,
    wake: Arc<Notify>,
    stop: CancellationToken,
}

/// Why nothing can be moved now.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("the table cannot be read")]
    Read(#[from] NotTaken),
    #[error("the table cannot be written")]
    Write(#[from] WriteError),
    #[error("the job store does not take them")]
    Store(#[from] AddError),
    #[error("the job store does not answer in time")]
    Slow,
    #[error("the server stops")]
    Stopping,
}

impl Mover {
    async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        while !self.stop.is_cancelled() {
            match self.step().await {
                Ok(settled) => {
                    pause = FIRST_PAUSE;
                    if settled < BATCH {
                        self.rest(timeout(POLL, self.wake.notified())).await;
                    }
                }
                Err(Stuck::Stopping) => return,
                Err(stuck) => {
                    tell(&stuck);
                    self.rest(sleep(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits for this, but not beyond the stop.
    async fn rest(&self, wait: impl Future) {
        tokio::select! {
            _ = wait => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Moves a batch; says how many rows were settled.
    async fn step(&self) -> Result<usize, Stuck> {
        let rows = take(&self.database).await?;
        let until = Instant::now() + SENDING;
        let mut fates = Vec::with_capacity(rows.len());
        let mut stuck = None;
        for (seq, entry) in rows.into_iter().filter_map(read) {
            if stuck.is_some() {
                fates.push((seq, Fate::Free));
                continue;
            }
            let fate = match entry.into_job(SystemClock.now()) {
                Err(what) => Fate::Refused(format!("it holds an unreadable {what}")),
                Ok((queue, job)) => match self.send(&queue, job, until).await {
                    Ok(fate) => fate,
                    Err(error) => {
                        stuck = Some(error);
                        Fate::Free
                    }
                },
            };
            if let Fate::Refused(why) = &fate {
                tracing::error!(seq, why, "a job that follows a write is refused");
            }
            fates.push((seq, fate));
        }
        let is_settled = |(_, fate): &&(i64, Fate)| !matches!(fate, Fate::Free);
        let settled = fates.iter().filter(is_settled).count();
        // What was moved is deleted even if the rest failed: it would only be sent again.
        if !fates.is_empty() {
            self.database
                .transact(move |transaction| settle(transaction, fates))
                .await?;
        }
        stuck.map_or(Ok(settled), Err)
    }

    /// Sends a job. The error means that it is worth trying again.
    async fn send(&self, queue: &QueueName, job: NewJob, until: Instant) -> Result<Fate, Stuck> {
        let sending = timeout_at(until, self.engine.add(queue, vec![job], None));
        let sent = tokio::select! {
            sent = sending => sent.map_err(|_| Stuck::Slow)?,
            () = self.stop.cancelled() => return Err(Stuck::Stopping),
        };
        match sent {
            Ok(_) => Ok(Fate::Moved),
            Err(error) if is_final(&error) => Ok(Fate::Refused(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

fn tell(stuck: &Stuck) {
    let error = stuck as &dyn std::error::Error;
    tracing::warn!(
        error,
        "jobs that follow writes wait: they cannot be moved now"
    );
}

/// Whether the store would refuse it again.
fn is_final(error: &AddError) -> bool {
    !matches!(
        error,
        AddError::QueueFull { .. }
            | AddError::Engine(
                EngineError::Busy(_)
                    | EngineError::Storage(_)
                    | EngineError::Stopped
                    | EngineError::Internal
                    | EngineError::Damaged(_)
            )
    )
}

fn read(row: Vec<Value>) -> Option<(i64, OutboxEntry)> {
    let mut row = row.into_iter();
    let (Some(Value::Integer(seq)), Some(Value::Integer(created_at))) = (row.next(), row.next())
    else {
        return None;
    };
    let texts = row.map(|value| match value {
        Value::Text(text) => text,
        // What is no text is told as unreadable.
        _ => String::new(),
    });
    let columns = texts.collect::<Vec<_>>().try_into().ok()?;
    Some((seq, OutboxEntry::of_row(columns, created_at)))
}
