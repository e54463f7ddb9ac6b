//! One write transaction, shared by the operations of a batch. Operations that fail leave no trace: their
//! savepoint is rolled back, and with it what they noted here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Error::FromSqlConversionFailure;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

use super::shared::Shared;
use super::window::Window;
use crate::clock::Timestamp;
use crate::error::EngineError;
use crate::events::{JobEvent, JobEventKind};
use crate::names::{JobId, QueueName};
use crate::settings::QueueSettings;
use crate::snapshot::QueueCounts;
use crate::state::State;

/// A queue's row, held in memory for the length of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueRow {
    pub(super) id: i64,
    pub(super) paused: bool,
    pub(super) next_position: i64,
    pub(super) front_position: i64,
    pub(super) counts: QueueCounts,
    pub(super) settings: QueueSettings,
    /// The window of the rate limit.
    pub(super) window: Window,
    /// Ready jobs with a group.
    pub(super) grouped: u64,
    /// The turn that the ready jobs without a group had last.
    pub(super) ungrouped_turn: i64,
    /// The earliest slot of its schedulers.
    pub(super) next_slot: Option<Timestamp>,
}

impl QueueRow {
    /// Ready jobs, with and without a group.
    pub(super) const fn ready(&self) -> u64 {
        self.counts.waiting + self.counts.prioritized
    }
}

/// Reads what [`read_queue_row`] expects.
macro_rules! select_queues {
    () => {
        "SELECT id, paused, next_position, front_position, waiting, prioritized, delayed, waiting_children, active, completed, \
         failed, rate_until, rate_used, grouped, ungrouped_turn, settings, next_slot, name FROM paceline_queues"
    };
}
pub(super) use select_queues;

struct LoadedQueue {
    name: QueueName,
    row: QueueRow,
    /// The row after the last operation that succeeded; none if the queue was created since.
    kept: Option<QueueRow>,
    /// The row as the database has it.
    stored: QueueRow,
}

/// A queue loaded in this transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueRef(usize);

/// What those are told who shared the transaction.
#[derive(Debug, thiserror::Error)]
#[error("another operation at the same time made the database give up: the disk may be full")]
struct GivenUp;

pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) now: Timestamp,
    queues: Vec<LoadedQueue>,
    events: Vec<JobEvent>,
    wakes: Vec<QueueName>,
    cancellations: Vec<QueueName>,
    heard: bool,
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a Connection, shared: &'a Shared) -> Self {
        Self {
            connection,
            shared,
            now: shared.clock.now(),
            queues: Vec::new(),
            events: Vec::new(),
            wakes: Vec::new(),
            cancellations: Vec::new(),
            heard: shared.events.is_heard(),
        }
    }

    /// Runs one operation. If it fails or panics, what it did has to be undone with the whole transaction.
    pub(super) fn attempt<T, E: From<EngineError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|_| Err(EngineError::Internal.into()))
    }

    /// Runs one operation; if it fails or panics, undoes what it did. The outer error means that the
    /// database gave up the whole transaction.
    pub(super) fn isolate<T, E: From<EngineError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, EngineError> {
        let (events, wakes) = (self.events.len(), self.wakes.len());
        let cancellations = self.cancellations.len();
        self.execute("SAVEPOINT operation")?;
        let done = self.attempt(work);
        if done.is_ok() {
            self.execute("RELEASE operation")?;
            for queue in &mut self.queues {
                queue.kept = Some(queue.row);
            }
            return Ok(done);
        }
        self.events.truncate(events);
        self.wakes.truncate(wakes);
        self.cancellations.truncate(cancellations);
        self.queues.retain(|queue| queue.kept.is_some());
        for queue in &mut self.queues {
            queue.row = queue.kept.unwrap_or(queue.row);
        }
        if self.connection.is_autocommit() {
            // SQLite rolled back by itself, as on a full disk; `still_open` tells the others.
            return Ok(done);
        }
        self.execute("ROLLBACK TO operation")?;
        self.execute("RELEASE operation")?;
        Ok(done)
    }

    /// An error when the database gave up the whole transaction in one of its operations.
    pub(super) fn still_open(&self) -> Result<(), EngineError> {
        if self.connection.is_autocommit() {
            return Err(EngineError::Storage(Arc::new(GivenUp)));
        }
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), EngineError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// The queue, if it is known.
    pub(super) fn find_queue(&mut self, name: &QueueName) -> Result<Option<QueueRef>, EngineError> {
        if let Some(index) = self.queues.iter().position(|queue| queue.name == *name) {
            return Ok(Some(QueueRef(index)));
        }
        let sql = concat!(select_queues!(), " WHERE name = ?1");
        let row = self
            .connection
            .prepare_cached(sql)?
            .query_row([name.as_str()], read_queue_row)
            .optional()?;
        Ok(row.map(|row| self.hold(name.clone(), row, true)))
    }

    /// The queue, created if it is new.
    pub(super) fn queue(&mut self, name: &QueueName) -> Result<QueueRef, EngineError> {
        if let Some(known) = self.find_queue(name)? {
            return Ok(known);
        }
        self.connection
            .prepare_cached("INSERT INTO paceline_queues (name) VALUES (?1)")?
            .execute([name.as_str()])?;
        let row = QueueRow {
            id: self.connection.last_insert_rowid(),
            paused: false,
            next_position: 1,
            front_position: 0,
            counts: QueueCounts::default(),
            settings: QueueSettings::default(),
            window: Window::default(),
            grouped: 0,
            ungrouped_turn: 0,
            next_slot: None,
        };
        Ok(self.hold(name.clone(), row, false))
    }

    /// The queue with this row id.
    pub(super) fn queue_by_id(&mut self, id: i64) -> Result<QueueRef, EngineError> {
        if let Some(index) = self.queues.iter().position(|queue| queue.row.id == id) {
            return Ok(QueueRef(index));
        }
        let name: String = self
            .connection
            .prepare_cached("SELECT name FROM paceline_queues WHERE id = ?1")?
            .query_row([id], |row| row.get(0))?;
        let name = QueueName::new(name).map_err(|_| EngineError::Damaged("queue name"))?;
        self.find_queue(&name)?
            .ok_or(EngineError::Damaged("queue row"))
    }

    fn hold(&mut self, name: QueueName, row: QueueRow, kept: bool) -> QueueRef {
        self.queues.push(LoadedQueue {
            name,
            row,
            kept: kept.then_some(row),
            stored: row,
        });
        QueueRef(self.queues.len() - 1)
    }

    /// Lets go of a queue whose row was deleted. The last thing an operation does.
    pub(super) fn forget(&mut self, queue: QueueRef) {
        self.queues.remove(queue.0);
    }

    pub(super) fn row(&mut self, queue: QueueRef) -> &mut QueueRow {
        &mut self.queues[queue.0].row
    }

    pub(super) fn name(&self, queue: QueueRef) -> QueueName {
        self.queues[queue.0].name.clone()
    }

    /// Moves one job in the counts; `None` is outside the store.
    pub(super) fn count_move(&mut self, queue: QueueRef, from: Option<State>, to: Option<State>) {
        let counts = &mut self.row(queue).counts;
        if let Some(from) = from {
            let slot = counts.slot(from);
            *slot = slot.saturating_sub(1);
        }
        if let Some(to) = to {
            *counts.slot(to) += 1;
        }
    }

    /// The next place at the end of the queue's lines.
    pub(super) fn take_position(&mut self, queue: QueueRef) -> i64 {
        let row = self.row(queue);
        let position = row.next_position;
        row.next_position += 1;
        position
    }

    /// The next place at the front of the queue's lines.
    pub(super) fn take_front(&mut self, queue: QueueRef) -> i64 {
        let row = self.row(queue);
        let position = row.front_position;
        row.front_position -= 1;
        position
    }

    /// Notes an event, told after the commit.
    pub(super) fn tell(&mut self, queue: QueueRef, id: Option<&JobId>, kind: JobEventKind) {
        if self.heard {
            let event = JobEvent::new(self.name(queue), id.cloned(), kind, self.now);
            self.events.push(event);
        }
    }

    /// Completes the event noted last.
    pub(super) fn tell_more(&mut self, change: impl FnOnce(&mut JobEvent)) {
        if self.heard
            && let Some(event) = self.events.last_mut()
        {
            change(event);
        }
    }

    /// Notes that jobs of the queue may be ready.
    pub(super) fn wake(&mut self, queue: QueueRef) {
        let name = &self.queues[queue.0].name;
        if !self.wakes.contains(name) {
            let name = name.clone();
            self.wakes.push(name);
        }
    }

    /// Notes that a job of the queue is to be given up by its worker.
    pub(super) fn note_cancellation(&mut self, queue: QueueRef) {
        let name = self.name(queue);
        if !self.cancellations.contains(&name) {
            self.cancellations.push(name);
        }
    }

    /// Writes the queue rows that changed.
    pub(super) fn store_queues(&mut self) -> Result<(), EngineError> {
        let sql = "UPDATE paceline_queues SET paused = ?2, next_position = ?3, front_position = ?4, waiting = ?5, \
                   prioritized = ?6, delayed = ?7, waiting_children = ?8, active = ?9, completed = ?10, failed = ?11, \
                   rate_until = ?12, rate_used = ?13, grouped = ?14, ungrouped_turn = ?15, next_slot = ?16 WHERE id = ?1";
        for queue in &self.queues {
            let (row, counts) = (&queue.row, &queue.row.counts);
            if queue.row != queue.stored {
                self.connection.prepare_cached(sql)?.execute(params![
                    row.id,
                    row.paused,
                    row.next_position,
                    row.front_position,
                    counts.waiting.cast_signed(),
                    counts.prioritized.cast_signed(),
                    counts.delayed.cast_signed(),
                    counts.waiting_children.cast_signed(),
                    counts.active.cast_signed(),
                    counts.completed.cast_signed(),
                    counts.failed.cast_signed(),
                    row.window.until.as_millis(),
                    row.window.used.cast_signed(),
                    row.grouped.cast_signed(),
                    row.ungrouped_turn,
                    row.next_slot.map(Timestamp::as_millis),
                ])?;
            }
        }
        Ok(())
    }

    /// After the commit: wakes workers and tells events.
    pub(super) fn publish(self) {
        for queue in &self.wakes {
            self.shared.board.wake(queue);
        }
        for queue in &self.cancellations {
            self.shared.board.cancel(queue);
        }
        if self.heard {
            self.shared.events.send_all(self.events);
        } else {
            self.shared.events.send_gap();
        }
    }
}

/// Reads a row of `select_queues!`.
pub(super) fn read_queue_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<QueueRow> {
    let count = |index: usize| -> rusqlite::Result<u64> {
        Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0))
    };
    let settings = match row.get_ref(15)?.as_str_or_null()? {
        None => QueueSettings::default(),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| FromSqlConversionFailure(15, Type::Text, Box::new(error)))?,
    };
    Ok(QueueRow {
        id: row.get(0)?,
        paused: row.get(1)?,
        next_position: row.get(2)?,
        front_position: row.get(3)?,
        counts: QueueCounts {
            waiting: count(4)?,
            prioritized: count(5)?,
            delayed: count(6)?,
            waiting_children: count(7)?,
            active: count(8)?,
            completed: count(9)?,
            failed: count(10)?,
        },
        settings,
        window: Window {
            until: Timestamp::from_millis(row.get(11)?),
            used: count(12)?,
        },
        grouped: count(13)?,
        ungrouped_turn: row.get(14)?,
        next_slot: row.get::<_, Option<i64>>(16)?.map(Timestamp::from_millis),
    })
}
