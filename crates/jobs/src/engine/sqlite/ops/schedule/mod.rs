//! Schedulers: stored, removed, and their jobs made when a slot is due.

mod remove;
mod run;
mod upsert;

pub(in super::super) use remove::remove;
pub(super) use run::{run_all_due, run_due};
pub(in super::super) use upsert::{check, upsert};

use std::num::NonZeroU64;

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::read::queue_row;
use super::super::tx::{QueueRef, Tx};
use crate::clock::Timestamp;
use crate::engine::NewJob;
use crate::error::EngineError;
use crate::names::{QueueName, SchedulerId};
use crate::options_record::OptionsRecord;
use crate::scheduler::{CatchUp, Schedule, Scheduler, SchedulerInfo, Standing};

/// A scheduler's definition as it is stored.
#[derive(Serialize, Deserialize)]
struct Body {
    schedule: Schedule,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    limit: Option<NonZeroU64>,
    immediately: bool,
    catch_up: CatchUp,
    name: String,
    data: Box<RawValue>,
    options: OptionsRecord,
}

impl Body {
    fn of(scheduler: &Scheduler) -> Self {
        Self {
            schedule: scheduler.schedule.clone(),
            start: scheduler.start,
            end: scheduler.end,
            limit: scheduler.limit,
            immediately: scheduler.immediately,
            catch_up: scheduler.catch_up,
            name: scheduler.name.clone(),
            data: scheduler.data.clone(),
            options: OptionsRecord::of(&scheduler.options),
        }
    }

    fn from_text(text: &str) -> Result<Self, EngineError> {
        serde_json::from_str(text).map_err(|_| EngineError::Damaged("scheduler"))
    }

    fn into_scheduler(self, id: SchedulerId) -> Result<Scheduler, EngineError> {
        Ok(Scheduler {
            id,
            schedule: self.schedule,
            start: self.start,
            end: self.end,
            limit: self.limit,
            immediately: self.immediately,
            catch_up: self.catch_up,
            name: self.name,
            data: self.data,
            options: self
                .options
                .into_options()
                .map_err(|_| EngineError::Damaged("scheduler"))?,
        })
    }

    fn into_info(self, id: SchedulerId, standing: Standing) -> Result<SchedulerInfo, EngineError> {
        let options = self.options.into_options();
        Ok(SchedulerInfo {
            id,
            schedule: self.schedule,
            name: self.name,
            data: self.data,
            next: standing.next,
            made: standing.made,
            limit: self.limit,
            start: self.start,
            end: self.end,
            catch_up: self.catch_up,
            options: options.map_err(|_| EngineError::Damaged("scheduler"))?,
        })
    }
}

/// A row of `paceline_schedulers`.
struct Stored {
    id: SchedulerId,
    body: Body,
    standing: Standing,
}

impl Stored {
    /// Reads `id, body, made, last_at, next_at`.
    fn read(row: &Row<'_>) -> Result<Self, EngineError> {
        let time = |index| -> rusqlite::Result<Option<Timestamp>> {
            let millis: Option<i64> = row.get(index)?;
            Ok(millis.map(Timestamp::from_millis))
        };
        Ok(Self {
            id: SchedulerId::lookup(row.get::<_, String>(0)?),
            body: Body::from_text(row.get_ref(1)?.as_str().unwrap_or_default())?,
            standing: Standing {
                made: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                last: time(3)?,
                next: time(4)?,
            },
        })
    }
}

fn job_of(scheduler: &Scheduler) -> NewJob {
    NewJob {
        name: scheduler.name.clone(),
        data: scheduler.data.clone(),
        options: scheduler.options.clone(),
    }
}

/// Keeps the queue's earliest slot in its row, so that a claim needs no statement to know that none is due.
fn note_next_slot(tx: &mut Tx<'_>, queue: QueueRef) -> Result<(), EngineError> {
    let sql =
        "SELECT min(next_at) FROM paceline_schedulers WHERE queue = ?1 AND next_at IS NOT NULL";
    let queue_id = tx.row(queue).id;
    let next: Option<i64> = tx
        .connection
        .prepare_cached(sql)?
        .query_row([queue_id], |row| row.get(0))?;
    tx.row(queue).next_slot = next.map(Timestamp::from_millis);
    Ok(())
}

/// The schedulers of a queue, by id.
pub(in super::super) fn list(
    connection: &Connection,
    queue: &QueueName,
) -> Result<Vec<SchedulerInfo>, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let Some(row) = queue_row(&connection, queue)? else {
        return Ok(Vec::new());
    };
    let sql = "SELECT id, body, made, last_at, next_at FROM paceline_schedulers WHERE queue = ?1 ORDER BY id";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([row.id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let Stored { id, body, standing } = Stored::read(row)?;
        found.push(body.into_info(id, standing)?);
    }
    Ok(found)
}
