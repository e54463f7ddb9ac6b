//! Jobs for an engine elsewhere, added in a transaction of the application's SQLite database.
//!
//! The application writes its rows and the job in one transaction: the job goes to the table `paceline_outbox`.
//! A relay moves it to the engine once the transaction has committed, and deletes the row after the engine has
//! answered. A relay that is killed between the two sends the job again, under the same id, and the engine gives
//! the job it has. That holds for as long as the engine keeps the job: give jobs that must not run twice a
//! [`Retention`](crate::Retention) of some minutes at least.
//!
//! Not for the embedded engine on the same file: [`Queue::add_in`](crate::Queue::add_in) needs no relay.

mod entry;
mod relay;
mod table;

pub use entry::OutboxEntry;
pub use relay::OutboxRelay;

use std::sync::Arc;

use rusqlite::{Connection, Transaction};
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::clock::{Clock, SystemClock};
use crate::engine::NewJob;
use crate::engine::checks::check_jobs;
use crate::error::{AddError, EngineError};
use crate::limits::Limits;
use crate::names::{JobId, QueueName};
use crate::options::JobOptions;

/// Puts jobs into the outbox.
///
/// ```
/// use paceline_jobs::rusqlite::Connection;
/// use paceline_jobs::{EngineHandle, JobOptions, Outbox, OutboxRelay, Shutdown, SqliteEngine};
/// use std::time::Duration;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db");
/// let mut shop = Connection::open(&path)?;
/// shop.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)")?;
/// let outbox = Outbox::new(&shop)?;
/// # let elsewhere = folder.path().join("jobs.db");
/// // An engine elsewhere, such as one on Redis.
/// let engine = EngineHandle::from(SqliteEngine::open(elsewhere)?);
/// let relay = OutboxRelay::start(&path, engine.clone())?;
///
/// let order = shop.transaction()?;
/// order.execute("INSERT INTO orders VALUES (17)", [])?;
/// let id = outbox.add_in(&order, "mails", "confirm", &17, JobOptions::new())?;
/// order.commit()?;
///
/// let queue = engine.typed_queue::<i64>("mails")?;
/// while queue.get(&id).await?.is_none() {
///     tokio::time::sleep(Duration::from_millis(1)).await;
/// }
/// relay.stop(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Outbox {
    limits: Limits,
}

/// How an outbox stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct OutboxStatus {
    /// Jobs not moved yet.
    pub waiting: u64,
    /// Jobs that the engine will never take; they stay in the table, with the reason in `refused`, until somebody
    /// deletes them or sets that to NULL.
    pub refused: u64,
    /// Why the newest of them was refused.
    pub last_refusal: Option<String>,
}

impl Outbox {
    /// Creates the table in the application's database unless it is there.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn new(connection: &Connection) -> Result<Self, EngineError> {
        table::create(connection)?;
        Ok(Self {
            limits: Limits::default(),
        })
    }

    /// What is accepted, if the engine elsewhere has other limits than the default ones.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a job: it is moved if the transaction commits. The id is random, 32 hexadecimal digits, unless the
    /// options name one. A delay counts from now, not from when the job is moved.
    ///
    /// # Errors
    /// [`AddError`]; the transaction then has nothing of the job and can go on.
    pub fn add_in(
        &self,
        transaction: &Transaction<'_>,
        queue: impl AsRef<str>,
        name: &str,
        payload: &impl Serialize,
        options: JobOptions,
    ) -> Result<JobId, AddError> {
        let queue = QueueName::new(queue)?;
        let data = to_raw_value(payload).map_err(|error| AddError::Encode(Arc::new(error)))?;
        let mut job = NewJob {
            name: name.to_owned(),
            data,
            options,
        };
        check_jobs(std::slice::from_ref(&job), &self.limits)?;
        let now = SystemClock.now();
        let id = job.options.id.take().unwrap_or_else(|| JobId::fresh(now));
        table::insert(transaction, &id, &queue, &job, now)?;
        Ok(id)
    }

    /// How many jobs wait to be moved, and how many were refused.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn status(&self, connection: &Connection) -> Result<OutboxStatus, EngineError> {
        table::status(connection)
    }
}
