//! Whose turn a job is where several servers look into one table.
//!
//! A relay takes jobs for some seconds, by a mark in their rows and in a transaction that ends before the first is
//! sent: no lock is held while the store is asked. What it does not get to in time is free for the others, and so is
//! what was taken by a relay that was killed. On SQLite nothing is marked: there is one server.

use std::time::Duration;

use paceline_data::write::{Transaction, WriteError};
use paceline_data::{Database, RunError, SqlDialect, Statement, Value};

use super::table::run;
use crate::server::skip_locked::SKIP_LOCKED;

/// Jobs taken at a time.
pub(super) const BATCH: usize = 200;
/// How long jobs are left to the relay that took them.
const LEASE: Duration = Duration::from_secs(10);
/// How long that relay sends them: the rest of the time is for it to say so.
pub(super) const SENDING: Duration = Duration::from_secs(7);

/// What is read of a job.
const COLUMNS: &str = "seq, created_at, id, queue, name, data, options";
/// Which rows nobody has: `{now}` is the time of the database.
const FREE: &str = "refused IS NULL AND (claimed_until IS NULL OR claimed_until < {now})";
/// The time of the database in milliseconds.
const POSTGRES_NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";
const MYSQL_NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";
/// What became of a job.
#[derive(Debug)]
pub(super) enum Fate {
    /// The store has it.
    Moved,
    /// The store will never take it: why.
    Refused(String),
    /// It was not sent, and anybody may.
    Free,
}

/// Why no jobs were taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Read(#[from] RunError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Takes jobs that nobody has, in their order: the columns of [`COLUMNS`].
pub(super) async fn take(database: &Database) -> Result<Vec<Vec<Value>>, NotTaken> {
    match database.catalog().dialect() {
        SqlDialect::Postgres => Ok(database.transact(take_on_postgres).await?),
        SqlDialect::MySql(_) => {
            // Most of the time there is nothing, which this finds without a transaction.
            let free = free_on_mysql();
            let free = database
                .rows(statement(&free, Vec::new()), 1, BATCH)
                .await?;
            if free.is_empty() {
                return Ok(Vec::new());
            }
            let taking = database.transact(move |transaction| take_on_mysql(transaction, &free));
            Ok(taking.await?)
        }
        _ => {
            let sql = format!(
                "SELECT {COLUMNS} FROM paceline_outbox WHERE refused IS NULL ORDER BY seq LIMIT {BATCH}"
            );
            Ok(database.rows(statement(&sql, Vec::new()), 7, BATCH).await?)
        }
    }
}

fn take_on_postgres(transaction: &mut dyn Transaction) -> Result<Vec<Vec<Value>>, WriteError> {
    let free = FREE.replace("{now}", POSTGRES_NOW);
    let lease = LEASE.as_millis();
    let sql = format!(
        "UPDATE paceline_outbox SET claimed_until = {POSTGRES_NOW} + {lease} WHERE seq IN \
         (SELECT seq FROM paceline_outbox WHERE {free} ORDER BY seq LIMIT {BATCH} FOR UPDATE SKIP LOCKED) \
         RETURNING {COLUMNS}"
    );
    let mut taken = run(transaction, &sql, Vec::new())?;
    taken.sort_by_key(|row| number(row));
    Ok(taken)
}

fn free_on_mysql() -> String {
    let free = FREE.replace("{now}", MYSQL_NOW);
    format!("SELECT seq FROM paceline_outbox WHERE {free} ORDER BY seq LIMIT {BATCH}")
}

/// Takes those that are still free: where another relay is waited for and not passed over, its mark is seen. Rows are
/// locked by their keys alone: a search would lock the place behind the last too, where every write puts its job.
fn take_on_mysql(
    transaction: &mut dyn Transaction,
    free: &[Vec<Value>],
) -> Result<Vec<Vec<Value>>, WriteError> {
    let is_free = FREE.replace("{now}", MYSQL_NOW);
    let lock = format!(
        "SELECT {COLUMNS} FROM paceline_outbox WHERE seq IN ({}) AND {is_free} ORDER BY seq FOR UPDATE {SKIP_LOCKED}",
        places()
    );
    let taken = run(transaction, &lock, padded(free.iter()))?;
    if !taken.is_empty() {
        let mark = format!(
            "UPDATE paceline_outbox SET claimed_until = {MYSQL_NOW} + {} WHERE seq IN ({})",
            LEASE.as_millis(),
            places()
        );
        run(transaction, &mark, padded(taken.iter()))?;
    }
    Ok(taken)
}

/// As many placeholders as rows are taken, so that the text is one.
fn places() -> String {
    let places: Vec<String> = (1..=BATCH).map(|number| format!("?{number}")).collect();
    places.join(", ")
}

/// The numbers of rows, the last one again until they are as many as [`places`].
fn padded<'a>(rows: impl Iterator<Item = &'a Vec<Value>>) -> Vec<Value> {
    let numbers = rows.map(|row| Value::Integer(number(row)));
    let mut numbers: Vec<Value> = numbers.take(BATCH).collect();
    let last = numbers.last().cloned().unwrap_or(Value::Null);
    numbers.resize(BATCH, last);
    numbers
}

/// The number of a row, which is its first column.
fn number(row: &[Value]) -> i64 {
    match row.first() {
        Some(Value::Integer(number)) => *number,
        _ => i64::MAX,
    }
}

fn statement(sql: &str, values: Vec<Value>) -> Statement {
    Statement {
        sql: sql.into(),
        values,
    }
}

/// Notes what became of jobs, by their numbers.
pub(super) fn settle(
    transaction: &mut dyn Transaction,
    fates: Vec<(i64, Fate)>,
) -> Result<(), WriteError> {
    let dialect = transaction.dialect();
    let (delete, refuse, free) = match dialect {
        SqlDialect::Postgres => (
            "DELETE FROM paceline_outbox WHERE seq = $1::int8",
            "UPDATE paceline_outbox SET refused = $2::text WHERE seq = $1::int8",
            "UPDATE paceline_outbox SET claimed_until = NULL WHERE seq = $1::int8",
        ),
        _ => (
            "DELETE FROM paceline_outbox WHERE seq = ?1",
            "UPDATE paceline_outbox SET refused = ?2 WHERE seq = ?1",
            "UPDATE paceline_outbox SET claimed_until = NULL WHERE seq = ?1",
        ),
    };
    for (seq, fate) in fates {
        let seq = Value::Integer(seq);
        match fate {
            Fate::Moved => run(transaction, delete, vec![seq])?,
            Fate::Refused(why) => run(transaction, refuse, vec![seq, Value::Text(why)])?,
            Fate::Free if dialect == SqlDialect::Sqlite => continue,
            Fate::Free => run(transaction, free, vec![seq])?,
        };
    }
    Ok(())
}
