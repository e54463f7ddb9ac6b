//! Jobs that follow writes: stored in the transaction of the write, moved to the job store afterwards.
//!
//! The table lies in the application's database, so that a job is there exactly if its write is. The relay sends each
//! job under the id it has since then and deletes the row once the store has answered: killed in between, it sends the
//! job again, and the store gives the one it has.

use std::sync::Arc;
use std::time::Duration;

use paceline_data::write::{Told, Transaction, WriteError};
use paceline_data::{Database, RunError, SqlDialect, Statement, Value};
use paceline_jobs::engine::NewJob;
use paceline_jobs::{
    AddError, Clock as _, EngineError, EngineHandle, OutboxEntry, QueueName, SystemClock,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Jobs moved at a time.
const BATCH: i64 = 200;
/// How often the table is looked into when nobody wakes the relay: jobs of other servers, and those left by one that
/// was killed.
const POLL: Duration = Duration::from_secs(1);
/// The wait after the store or the database failed, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes the table, on each engine. That of SQLite is the one of `paceline_jobs::Outbox`.
pub(crate) fn schema(dialect: SqlDialect) -> [&'static str; 2] {
    let table = match dialect {
        SqlDialect::Postgres => {
            "CREATE TABLE IF NOT EXISTS paceline_outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
             id text NOT NULL, queue text NOT NULL, name text NOT NULL, data text NOT NULL, options text NOT NULL, \
             created_at bigint NOT NULL, refused text)"
        }
        _ => {
            "CREATE TABLE IF NOT EXISTS paceline_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, \
             queue TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, options TEXT NOT NULL, \
             created_at INTEGER NOT NULL, refused TEXT) STRICT"
        }
    };
    [
        table,
        "CREATE INDEX IF NOT EXISTS paceline_outbox_open ON paceline_outbox (seq) WHERE refused IS NULL",
    ]
}

/// Makes the table where that may be done without asking, and says whether it is there.
///
/// # Errors
/// [`WriteError::NoTable`] where it is not.
pub(super) async fn prepare(database: &Database) -> Result<(), WriteError> {
    database
        .transact(|transaction| {
            let dialect = transaction.dialect();
            if dialect == SqlDialect::Sqlite {
                for sql in schema(dialect) {
                    run(transaction, sql, Vec::new())?;
                }
            }
            let look = "SELECT seq FROM paceline_outbox LIMIT 1";
            run(transaction, look, Vec::new()).map(drop)
        })
        .await
}

/// Stores a job in a transaction.
pub(super) fn put(transaction: &mut dyn Transaction, entry: OutboxEntry) -> Result<(), WriteError> {
    let sql = match transaction.dialect() {
        SqlDialect::Postgres => {
            "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) \
             VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::int8)"
        }
        _ => {
            "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        }
    };
    let texts = [entry.id, entry.queue, entry.name, entry.data, entry.options];
    let mut values: Vec<Value> = texts.into_iter().map(Value::Text).collect();
    values.push(Value::Integer(entry.created_at));
    run(transaction, sql, values).map(drop)
}

fn run(
    transaction: &mut dyn Transaction,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Vec<Value>>, WriteError> {
    let statement = Statement {
        sql: sql.into(),
        values,
    };
    transaction.rows(&statement, &Told::default())
}

/// Moves jobs until it is stopped. Several may run for the same table.
#[derive(Debug)]
pub(super) struct Relay {
    wake: Arc<Notify>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Relay {
    /// Starts moving jobs from the database to the store.
    pub(super) fn start(database: Database, engine: EngineHandle) -> Self {
        let (wake, stop) = (Arc::<Notify>::default(), CancellationToken::new());
        let relay = Mover {
            database,
            engine,
            wake: Arc::clone(&wake),
        };
        let stopping = stop.clone();
        let running = tokio::spawn(async move {
            tokio::select! {
                () = relay.run() => {}
                () = stopping.cancelled() => {}
            }
        });
        Self {
            wake,
            stop,
            running,
        }
    }

    /// What a commit calls.
    pub(super) fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Stops. What is left is moved at the next start.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.running.await;
    }
}

struct Mover {
    database: Database,
    engine: EngineHandle,
    wake: Arc<Notify>,
}

/// Why nothing can be moved now.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("the table cannot be read")]
    Read(#[from] RunError),
    #[error("the table cannot be written")]
    Write(#[from] WriteError),
    #[error("the job store does not take them")]
    Store(#[from] AddError),
}

impl Mover {
    async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.step().await {
                Ok(moved) => {
                    pause = FIRST_PAUSE;
                    if moved < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                        let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
                    }
                }
                Err(stuck) => {
                    tell(&stuck);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Moves a batch; says how many rows were settled.
    async fn step(&self) -> Result<usize, Stuck> {
        let sql = format!(
            "SELECT seq, created_at, id, queue, name, data, options FROM paceline_outbox \
             WHERE refused IS NULL ORDER BY seq LIMIT {BATCH}"
        );
        let statement = Statement {
            sql: sql.into(),
            values: Vec::new(),
        };
        let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
        let rows = self.database.rows(statement, 7, most).await?;
        let mut settled = Vec::with_capacity(rows.len());
        let mut stuck = None;
        for row in rows {
            let Some((seq, entry)) = read(row) else {
                continue;
            };
            let refused = match entry.into_job(SystemClock.now()) {
                Err(what) => Some(format!("it holds an unreadable {what}")),
                Ok((queue, job)) => match self.send(&queue, job).await {
                    Ok(refused) => refused,
                    Err(error) => {
                        stuck = Some(error);
                        break;
                    }
                },
            };
            if let Some(why) = &refused {
                tracing::error!(seq, why, "a job that follows a write is refused");
            }
            settled.push((seq, refused));
        }
        let count = settled.len();
        // What was moved is deleted even if the rest failed: it would only be sent again.
        if count > 0 {
            self.database
                .transact(move |transaction| settle(transaction, settled))
                .await?;
        }
        stuck.map_or(Ok(count), |error| Err(error.into()))
    }

    /// Sends a job; why it is refused for good, if it is. The error means that it is worth trying again.
    async fn send(&self, queue: &QueueName, job: NewJob) -> Result<Option<String>, AddError> {
        match self.engine.add(queue, vec![job], None).await {
            Ok(_) => Ok(None),
            Err(error) if is_final(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
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

fn settle(
    transaction: &mut dyn Transaction,
    settled: Vec<(i64, Option<String>)>,
) -> Result<(), WriteError> {
    let (delete, refuse) = match transaction.dialect() {
        SqlDialect::Postgres => (
            "DELETE FROM paceline_outbox WHERE seq = $1::int8",
            "UPDATE paceline_outbox SET refused = $2::text WHERE seq = $1::int8",
        ),
        _ => (
            "DELETE FROM paceline_outbox WHERE seq = ?1",
            "UPDATE paceline_outbox SET refused = ?2 WHERE seq = ?1",
        ),
    };
    for (seq, refused) in settled {
        let seq = Value::Integer(seq);
        match refused {
            None => run(transaction, delete, vec![seq])?,
            Some(why) => run(transaction, refuse, vec![seq, Value::Text(why)])?,
        };
    }
    Ok(())
}
