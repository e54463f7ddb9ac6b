//! A write on MySQL: a statement that carries its precondition, the row read back, one commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio::time::{timeout, timeout_at};

use super::connect::MySqlConnection;
use super::database::{MySqlDatabase, Unanswered, answer};
use super::error::{classify, constraint, not_lent};
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
use super::running::Running;
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::run::{Answer, RunError};
use crate::statement::{Statement, Value};
use crate::version::Touched;
use crate::write::{
    ChangeKind, Constraint, Names, Precondition, ReadBack, WriteError, WritePlan, Written,
};

/// How long a commit or a rollback may take. Neither has anything left to compute.
const END: Duration = Duration::from_secs(5);
/// Begins a transaction.
pub(super) const BEGIN: &str = "START TRANSACTION";
/// Another row has the same key.
const DUPLICATE: u16 = 1062;

type Outcome<E> = Result<(Written, Option<Answer<E>>), WriteError>;

/// Why a write stopped.
pub(super) enum Refused {
    Statement(Stopped),
    Write(WriteError),
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        Self::Statement(stopped)
    }
}

impl From<mysql_async::Error> for Refused {
    fn from(error: mysql_async::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl MySqlDatabase {
    /// Runs a write in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn write<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Outcome<E>
    where
        E: RowEncoder + Send + 'static,
    {
        let deadline = Instant::now() + self.query_timeout();
        let lease = self.lend(deadline).await.map_err(not_lent)?;
        self.counters().statement();
        let writing = transaction(Running::new(lease), plan, read_back, deadline);
        let written = tokio::spawn(writing).await;
        // It panicked: the transaction was rolled back with its connection.
        written.unwrap_or_else(|_| Err(RunError::stopped().into()))
    }
}

async fn transaction<E: RowEncoder>(
    mut running: Running,
    plan: WritePlan,
    read_back: Option<ReadBack<E>>,
    deadline: Instant,
) -> Outcome<E> {
    let names = plan.names.clone();
    let applying = apply(running.connection(), plan, read_back);
    let Ok(outcome) = timeout_at(deadline.into(), applying).await else {
        // The connection is closed, and the server rolls back.
        return Err(RunError::timeout().into());
    };
    let failure = match outcome {
        Ok(written) => match end(&mut running, "COMMIT").await {
            Some(Ok(())) => {
                running.finish();
                return Ok(written);
            }
            Some(Err(error)) if !error.is_fatal() => return Err(told(error.into(), &names)),
            // The answer is lost, and with it whether the write took place.
            Some(Err(error)) => return Err(RunError::database(error).into()),
            None => return Err(RunError::timeout().into()),
        },
        Err(Refused::Statement(stopped)) => told(stopped, &names),
        Err(Refused::Write(error)) => error,
    };
    if let Some(Ok(())) = end(&mut running, "ROLLBACK").await {
        running.finish();
    }
    Err(failure)
}

/// What it means to the caller that a statement stopped.
pub(super) fn told(stopped: Stopped, names: &Names) -> WriteError {
    let rule = match &stopped {
        Stopped::Database(error) => constraint(error, names),
        Stopped::Value(_) => None,
    };
    match rule {
        Some(rule) => WriteError::Constraint(rule),
        None => classify(stopped).into(),
    }
}

/// Ends the transaction; `None` when the server did not answer.
pub(super) async fn end(
    running: &mut Running,
    how: &str,
) -> Option<Result<(), mysql_async::Error>> {
    let ending = running.connection().driver().query_drop(how);
    timeout(END, ending).await.ok()
}

async fn apply<E: RowEncoder>(
    connection: &mut MySqlConnection,
    mut plan: WritePlan,
    read_back: Option<ReadBack<E>>,
) -> Result<(Written, Option<Answer<E>>), Refused> {
    connection.driver().query_drop(BEGIN).await?;
    let written = write_row(connection, &mut plan).await?;
    let row = match read_back.filter(|_| written.can_be_read()) {
        Some(ReadBack {
            sql,
            mut values,
            encoder,
        }) => {
            values.extend_from_slice(&written.change.key);
            let read = answer(connection, &Statement { sql, values }, encoder).await;
            Some(read.map_err(|unanswered| match unanswered {
                Unanswered::Statement(stopped) => Refused::Statement(stopped),
                Unanswered::Encoder(error) => Refused::Write(error.into()),
            })?)
        }
        None => None,
    };
    Ok((written, row))
}

/// Writes the row inside the transaction.
pub(super) async fn write_row(
    connection: &mut MySqlConnection,
    plan: &mut WritePlan,
) -> Result<Written, Refused> {
    merge(connection, plan).await?;
    let mut kind = plan.kind;
    let mut key = match run(connection, &plan.statement).await {
        Ok(done) => key_of(done, plan)?,
        Err(stopped)
            if plan.precondition == Precondition::IfNoneMatchAny && is_duplicate(&stopped) =>
        {
            judge_duplicate(connection, plan).await?;
            return Err(stopped.into());
        }
        Err(stopped) => return Err(stopped.into()),
    };
    if key.is_none() {
        let current = match &plan.current {
            Some(current) => version(connection, current).await?,
            None => None,
        };
        plan.judge_absence(current)?;
        if let Some(insert) = &plan.otherwise {
            kind = ChangeKind::Created;
            let done = run(connection, insert).await?;
            key = key_of(done, plan)?;
        }
    }
    let Some(mut key) = key else {
        return Err(WriteError::Constraint(Constraint::refused()).into());
    };
    let row = match &plan.key_sql {
        Some(sql) if kind != ChangeKind::Deleted && plan.is_told_by_reading(&key) => {
            key.truncate(plan.key_length);
            stored(connection, sql, key).await?
        }
        _ => key,
    };
    let change = plan.change(kind, row);
    let row_version = match &plan.version_sql {
        Some(sql) if kind != ChangeKind::Deleted => {
            let of_key = Statement {
                sql: Arc::clone(sql),
                values: change.key.clone(),
            };
            version(connection, &of_key).await?
        }
        _ => None,
    };
    Ok(Written {
        change,
        row_version,
        touched: Touched::All,
    })
}

fn is_duplicate(stopped: &Stopped) -> bool {
    matches!(stopped, Stopped::Database(mysql_async::Error::Server(error)) if error.code == DUPLICATE)
}

/// A row was to be created unless it is there, and some row was: whether it is that one.
async fn judge_duplicate(
    connection: &mut MySqlConnection,
    plan: &WritePlan,
) -> Result<(), Refused> {
    let Some(current) = &plan.current else {
        return Ok(());
    };
    match version(connection, current).await? {
        Some(current) => Ok(plan.judge_absence(Some(current))?),
        None => Ok(()),
    }
}

/// What a statement has done.
struct Done {
    /// Its first row, where it gives rows.
    row: Option<Vec<Value>>,
    /// The rows it met.
    rows: u64,
    /// The number a column that counts by itself got.
    counted: Option<u64>,
}

/// The key of the row written; nothing where none was met.
fn key_of(done: Done, plan: &WritePlan) -> Result<Option<Vec<Value>>, Refused> {
    if done.row.is_some() || done.rows == 0 {
        return Ok(done.row);
    }
    let counted = done.counted.filter(|counted| *counted > 0);
    let mut counted = counted.and_then(|number| i64::try_from(number).ok());
    let parts = plan.key.iter().cloned().map(|part| match part {
        None | Some(Value::Null) => counted.take().map(Value::Integer),
        given => given,
    });
    // MySQL does not say what a default came to. MariaDB does.
    let key: Option<Vec<Value>> = parts.collect();
    if key.is_none() {
        let unknown = "the server made the key of the row and does not tell it";
        return Err(WriteError::from(RunError::database(unknown)).into());
    }
    Ok(key)
}

/// The key as it is stored, for the one addressed may differ in the case of letters; the owner follows where that
/// decides who is told.
async fn stored(
    connection: &mut MySqlConnection,
    sql: &Arc<str>,
    key: Vec<Value>,
) -> Result<Vec<Value>, Stopped> {
    let addressed = Statement {
        sql: Arc::clone(sql),
        values: key,
    };
    let found = run(connection, &addressed).await?;
    Ok(found.row.unwrap_or(addressed.values))
}

/// Merges patches of JSON columns into what the row holds, which stays locked from here on.
async fn merge(connection: &mut MySqlConnection, plan: &mut WritePlan) -> Result<(), Stopped> {
    let Some(merge) = &plan.merge else {
        return Ok(());
    };
    if let Some(row) = run(connection, &merge.read).await?.row {
        plan.merge_into(row);
    }
    Ok(())
}

async fn version(
    connection: &mut MySqlConnection,
    statement: &Statement,
) -> Result<Option<String>, Stopped> {
    let done = run(connection, statement).await?;
    Ok(done.row.and_then(|mut row| match row.pop() {
        Some(Value::Text(version)) => Some(version),
        _ => None,
    }))
}

/// Runs a statement to its end.
async fn run(connection: &mut MySqlConnection, statement: &Statement) -> Result<Done, Stopped> {
    let mut rows = query::begin(connection, statement).await?;
    let mut first = None;
    while let Some(row) = rows.next().await? {
        first.get_or_insert_with(|| {
            let readers = Reader::of(row.columns_ref());
            let row = MySqlRow::new(&row, &readers);
            (0..readers.len())
                .map(|column| Value::from(row.cell(column)))
                .collect()
        });
    }
    drop(rows);
    let driver = connection.driver();
    Ok(Done {
        row: first,
        rows: driver.affected_rows(),
        counted: driver.last_insert_id(),
    })
}
