//! A write on PostgreSQL: one statement that carries its precondition, the row read back, one commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::error::{DbError, SqlState as State};

use super::connect::PostgresConnection;
use super::database::{PostgresDatabase, answer};
use super::error::{classify, not_lent};
use super::query;
use super::row::{PostgresRow, Reader};
use super::running::Running;
use super::versions::{Mark, PostgresVersions};
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::run::{Answer, RunError};
use crate::statement::{Statement, Value};
use crate::version::Touched;
use crate::write::{
    ChangeKind, Constraint, Names, ReadBack, SqlState, Told, WriteError, WritePlan, Written,
};

/// How long a commit or a rollback may take. Neither has anything left to compute.
const END: Duration = Duration::from_secs(5);

type Outcome<E> = Result<(Written, Option<Answer<E>>), WriteError>;

/// Why a write stopped.
pub(super) enum Stopped {
    Database(tokio_postgres::Error),
    Write(WriteError),
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<WriteError> for Stopped {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl PostgresDatabase {
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
        let mark = self.versions().map(PostgresVersions::announce);
        let writing = transaction(Running::new(lease), plan, read_back, deadline, mark);
        let written = tokio::spawn(writing).await;
        // It panicked: the transaction was rolled back with its connection.
        written.unwrap_or_else(|_| Err(RunError::stopped().into()))
    }
}

/// Whether the role may not do this at all, whatever the row. Row security refuses rows under the same code.
fn lacks_a_right(error: &DbError) -> bool {
    *error.code() == State::INSUFFICIENT_PRIVILEGE && error.routine() == Some("aclcheck_error")
}

/// What an error of a write means: a rule that may be told, or what any statement's error means.
pub(super) fn refused(error: tokio_postgres::Error, told: &Told) -> WriteError {
    let rule = error.as_db_error().filter(|error| !lacks_a_right(error));
    let constraint = rule.and_then(|error| {
        let state = SqlState {
            code: error.code().code(),
            table: error.table(),
            column: error.column(),
            rule: error.constraint(),
        };
        Constraint::from_state(&state, told.names.as_ref().unwrap_or(&Names::default()))
    });
    match constraint {
        Some(constraint) => WriteError::Constraint(constraint),
        None => classify(error).into(),
    }
}

async fn transaction<E: RowEncoder>(
    mut running: Running,
    plan: WritePlan,
    read_back: Option<ReadBack<E>>,
    deadline: Instant,
    mark: Option<Mark>,
) -> Outcome<E> {
    let (told, table) = (Told::of(&plan), plan.table);
    let refused = |error| refused(error, &told);
    let applying = apply(running.connection(), plan, read_back);
    let Ok(outcome) = timeout_at(deadline.into(), applying).await else {
        // The connection is closed, and the server rolls back.
        return Err(RunError::timeout().into());
    };
    let failure = match outcome {
        Ok(written) => match end(&mut running, &commit(mark.as_ref())).await {
            Some(Ok(())) => {
                running.finish();
                if let Some(mark) = mark {
                    mark.settle(table).await;
                }
                return Ok(written);
            }
            Some(Err(error)) if error.as_db_error().is_some() => return Err(refused(error)),
            // The answer is lost, and with it whether the write took place.
            Some(Err(error)) => return Err(RunError::database(error).into()),
            None => return Err(RunError::timeout().into()),
        },
        Err(Stopped::Database(error)) => refused(error),
        Err(Stopped::Write(error)) => error,
    };
    if let Some(Ok(())) = end(&mut running, "ROLLBACK").await {
        running.finish();
    }
    Err(failure)
}

/// Commits, with the mark of the write where changes are told.
pub(super) fn commit(mark: Option<&Mark>) -> String {
    match mark {
        Some(mark) => format!("{}; COMMIT", mark.sql()),
        None => "COMMIT".to_owned(),
    }
}

/// Ends the transaction; `None` when the server did not answer.
pub(super) async fn end(
    running: &mut Running,
    how: &str,
) -> Option<Result<(), tokio_postgres::Error>> {
    let ending = running.connection().batch_execute(how);
    timeout(END, ending).await.ok()
}

async fn apply<E: RowEncoder>(
    connection: &mut PostgresConnection,
    mut plan: WritePlan,
    read_back: Option<ReadBack<E>>,
) -> Result<(Written, Option<Answer<E>>), Stopped> {
    connection.batch_execute("BEGIN").await?;
    let written = write_row(connection, &mut plan).await?;
    let row = match read_back.filter(|_| written.can_be_read()) {
        Some(ReadBack {
            sql,
            mut values,
            encoder,
        }) => {
            values.extend_from_slice(&written.change.key);
            let read = answer(connection, &Statement { sql, values }, encoder).await;
            Some(read.map_err(|stopped| match stopped {
                super::database::Stopped::Database(error) => Stopped::Database(error),
                super::database::Stopped::Encoder(error) => Stopped::Write(error.into()),
            })?)
        }
        None => None,
    };
    Ok((written, row))
}

/// Writes the row inside the transaction.
pub(super) async fn write_row(
    connection: &mut PostgresConnection,
    plan: &mut WritePlan,
) -> Result<Written, Stopped> {
    merge(connection, plan).await?;
    let mut kind = plan.kind;
    let mut row = first_row(connection, &plan.statement).await?;
    if let Some(told) = row.as_mut().filter(|_| plan.replaces_or_creates) {
        // The last column is whether the row is new.
        if told.pop() != Some(Value::Integer(1)) {
            kind = ChangeKind::Updated;
        }
    }
    if row.is_none() {
        let current = match &plan.current {
            Some(current) => version(connection, current).await?,
            None => None,
        };
        plan.judge_absence(current)?;
        if let Some(insert) = &plan.otherwise {
            kind = ChangeKind::Created;
            row = first_row(connection, insert).await?;
        }
    }
    let Some(row) = row else {
        return Err(WriteError::Constraint(Constraint::refused()).into());
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

/// Merges patches of JSON columns into what the row holds, which stays locked from here on.
async fn merge(
    connection: &mut PostgresConnection,
    plan: &mut WritePlan,
) -> Result<(), tokio_postgres::Error> {
    let Some(merge) = &plan.merge else {
        return Ok(());
    };
    if let Some(row) = first_row(connection, &merge.read).await? {
        plan.merge_into(row);
    }
    Ok(())
}

async fn version(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<Option<String>, tokio_postgres::Error> {
    let row = first_row(connection, statement).await?;
    Ok(row.and_then(|mut row| match row.pop() {
        Some(Value::Text(version)) => Some(version),
        _ => None,
    }))
}

/// Runs a statement to its end and gives its first row.
async fn first_row(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<Option<Vec<Value>>, tokio_postgres::Error> {
    let mut rows = std::pin::pin!(query::begin_once(connection, statement).await?);
    let mut first = None;
    while let Some(row) = rows.try_next().await? {
        first.get_or_insert_with(|| {
            let readers = Reader::of_columns(row.columns());
            let row = PostgresRow {
                row: &row,
                readers: &readers,
            };
            (0..readers.len())
                .map(|column| Value::from(row.cell(column)))
                .collect()
        });
    }
    Ok(first)
}
