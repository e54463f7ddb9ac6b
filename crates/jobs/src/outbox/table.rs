//! The rows of the outbox.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::value::RawValue;

use super::OutboxStatus;
use crate::clock::Timestamp;
use crate::engine::NewJob;
use crate::error::EngineError;
use crate::names::{JobId, QueueName};
use crate::options_record::OptionsRecord;

/// Bytes of payloads read at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A job on its way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) queue: QueueName,
    pub(super) job: NewJob,
}

/// What became of an entry.
#[derive(Debug)]
pub(super) enum Fate {
    /// The target has it.
    Moved,
    /// The target will never take it.
    Refused(String),
}

pub(super) fn create(connection: &Connection) -> Result<(), EngineError> {
    Ok(connection.execute_batch(include_str!("schema.sql"))?)
}

pub(super) fn insert(
    connection: &Connection,
    id: &JobId,
    queue: &QueueName,
    job: &NewJob,
    now: Timestamp,
) -> Result<(), EngineError> {
    let options = serde_json::to_string(&OptionsRecord::of(&job.options))
        .map_err(|_| EngineError::Damaged("job option"))?;
    let sql = "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        id.as_str(),
        queue.as_str(),
        job.name,
        job.data.get(),
        options,
        now.as_millis(),
    ])?;
    Ok(())
}

/// What is known of rows, by their number.
pub(super) type Fates = Vec<(i64, Fate)>;

/// The oldest entries, in order, at most `max`; what cannot be read is refused.
pub(super) fn oldest(
    connection: &Connection,
    max: usize,
    now: Timestamp,
) -> Result<(Vec<Entry>, Fates), EngineError> {
    let sql = "SELECT seq, id, queue, name, data, options, created_at FROM paceline_outbox WHERE refused IS NULL \
               ORDER BY seq LIMIT ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([i64::try_from(max).unwrap_or(i64::MAX)])?;
    let (mut entries, mut refused) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        match read(row, now)? {
            Ok(entry) => {
                bytes += entry.job.data.get().len();
                entries.push(entry);
            }
            Err(what) => {
                let why = format!("the outbox holds an unreadable {what}");
                refused.push((row.get(0)?, Fate::Refused(why)));
            }
        }
        if bytes >= BATCH_BYTES {
            break;
        }
    }
    Ok((entries, refused))
}

/// The inner error names what another program put there.
fn read(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Result<Entry, &'static str>> {
    let queue: String = row.get(2)?;
    let Ok(queue) = QueueName::new(queue) else {
        return Ok(Err("queue name"));
    };
    let Ok(data) = RawValue::from_string(row.get(4)?) else {
        return Ok(Err("payload"));
    };
    let options: String = row.get(5)?;
    let record: Option<OptionsRecord> = serde_json::from_str(&options).ok();
    let Some(mut options) = record.and_then(|record| record.into_options().ok()) else {
        return Ok(Err("job option"));
    };
    options.id = Some(JobId::lookup(row.get::<_, String>(1)?));
    let passed = now.saturating_since(Timestamp::from_millis(row.get(6)?));
    options.delay = options.delay.saturating_sub(passed);
    Ok(Ok(Entry {
        seq: row.get(0)?,
        queue,
        job: NewJob {
            name: row.get(3)?,
            data,
            options,
        },
    }))
}

/// Deletes what was moved and marks what was refused.
pub(super) fn settle(connection: &Connection, fates: &[(i64, Fate)]) -> Result<(), EngineError> {
    if fates.is_empty() {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for (seq, fate) in fates {
        match fate {
            Fate::Moved => transaction
                .prepare_cached("DELETE FROM paceline_outbox WHERE seq = ?1")?
                .execute([seq])?,
            Fate::Refused(why) => transaction
                .prepare_cached("UPDATE paceline_outbox SET refused = ?2 WHERE seq = ?1")?
                .execute(params![seq, why])?,
        };
    }
    Ok(transaction.commit()?)
}

pub(super) fn status(connection: &Connection) -> Result<OutboxStatus, EngineError> {
    let sql = "SELECT count(*) FILTER (WHERE refused IS NULL), count(refused) FROM paceline_outbox";
    let count = |row: &Row<'_>, index| -> rusqlite::Result<u64> {
        Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0))
    };
    let (waiting, refused) = connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
    let sql =
        "SELECT refused FROM paceline_outbox WHERE refused IS NOT NULL ORDER BY seq DESC LIMIT 1";
    let last_refusal = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(OutboxStatus {
        waiting,
        refused,
        last_refusal,
    })
}
