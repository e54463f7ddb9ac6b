//! The writer thread: drains the line of operations, commits many together, answers after the commit.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::Durability;
use super::call::{Isolation, Promise, WriteCall};
use super::ops;
use super::tx::Tx;
use crate::engine::sqlite::shared::Shared;
use crate::error::EngineError;
use crate::names::random_fraction;

use std::sync::Arc;

/// Operations in one commit.
const MAX_BATCH: usize = 512;
/// The longest wait for company before a commit, and only when the last batch had company.
const MAX_GATHER: Duration = Duration::from_micros(400);
/// Batches after a refusal whose operations can be undone one by one.
const WARY_BATCHES: u32 = 16;

pub(super) enum Command {
    Write(Box<dyn WriteCall>),
    /// Do what is in line, close the store, then say so.
    Stop(oneshot::Sender<()>),
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Commit,
    Undo,
}

pub(super) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    line: Receiver<Command>,
    batch: Vec<Box<dyn WriteCall>>,
    /// What the engine promises, and what the connection is set to now.
    durability: Durability,
    level: Durability,
    /// How many operations the last batch had, and how long its commit took.
    company: usize,
    last_commit: Duration,
    /// Batches to come whose operations are kept apart, because one was refused lately.
    wary: u32,
    stop: Option<oneshot::Sender<()>>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        shared: Arc<Shared>,
        line: Receiver<Command>,
        durability: Durability,
    ) -> Self {
        Self {
            durability,
            level: durability,
            connection,
            shared,
            line,
            batch: Vec::with_capacity(MAX_BATCH),
            company: 1,
            last_commit: Duration::ZERO,
            wary: 0,
            stop: None,
        }
    }

    /// Runs until stopped or until every handle is gone.
    pub(super) fn run(mut self) {
        let mut next_sweep = Instant::now() + self.shared.sweep_every;
        while self.stop.is_none() {
            match self.line.recv_deadline(next_sweep) {
                Ok(command) => {
                    self.gather(command);
                    self.commit_batch();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= next_sweep {
                self.sweep();
                next_sweep = Instant::now() + self.shared.sweep_every;
            }
        }
        self.close();
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Write(call) => self.batch.push(call),
            Command::Stop(done) => self.stop = Some(done),
        }
    }

    fn has_room(&self) -> bool {
        self.stop.is_none() && self.batch.len() < MAX_BATCH
    }

    /// Collects what is in line. Callers of the last batch are on their way back with their next
    /// operation: wait for as many as there were then, but never for a lone caller and never long.
    fn gather(&mut self, first: Command) {
        self.take(first);
        self.drain();
        if self.company < 2 || self.batch.len() >= self.company {
            return;
        }
        let deadline = Instant::now() + (self.last_commit / 2).min(MAX_GATHER);
        while self.has_room() && self.batch.len() < self.company {
            match self.line.recv_deadline(deadline) {
                Ok(command) => self.take(command),
                Err(_) => break,
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        while self.has_room() {
            match self.line.try_recv() {
                Ok(command) => self.take(command),
                Err(_) => break,
            }
        }
    }

    fn commit_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut self.batch);
        self.company = batch.len();
        let leases_only = batch.iter().all(|call| call.promise() == Promise::Lease);
        let level = if leases_only {
            Durability::Normal
        } else {
            self.durability
        };
        let committed = self.store(&mut batch, level);
        for call in batch.drain(..) {
            call.answer(committed.clone());
        }
        self.batch = batch;
    }

    /// Runs and commits a batch. Its operations are kept apart only after a refusal: that costs a copy of every
    /// page that each of them changes.
    fn store(
        &mut self,
        batch: &mut [Box<dyn WriteCall>],
        level: Durability,
    ) -> Result<(), EngineError> {
        if self.wary == 0 {
            let verdict = self.transact(level, |tx| {
                for call in batch.iter_mut() {
                    if !call.run(tx, Isolation::Together)? {
                        return Ok(Verdict::Undo);
                    }
                }
                Ok(Verdict::Commit)
            })?;
            if verdict == Verdict::Commit {
                return Ok(());
            }
            self.wary = WARY_BATCHES;
        }
        let mut refused = false;
        let committed = self.transact(level, |tx| {
            for call in batch.iter_mut() {
                refused |= !call.run(tx, Isolation::Each)?;
            }
            Ok(Verdict::Commit)
        });
        self.wary = if refused { WARY_BATCHES } else { self.wary - 1 };
        committed.map(drop)
    }

    /// One transaction: taken with the write lock from the start, so that it cannot fail half-way.
    /// `level` says whether its commit waits for the disk; a later one that does covers it too.
    fn transact(
        &mut self,
        level: Durability,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Verdict, EngineError>,
    ) -> Result<Verdict, EngineError> {
        self.set_level(level)?;
        begin(&self.connection, self.shared.busy_bound)?;
        let mut tx = Tx::new(&self.connection, &self.shared);
        let verdict = work(&mut tx).and_then(|verdict| {
            if verdict == Verdict::Commit {
                tx.store_queues()?;
            }
            Ok(verdict)
        });
        let started = Instant::now();
        let ended = verdict.and_then(|verdict| {
            let sql = match verdict {
                Verdict::Commit => "COMMIT",
                Verdict::Undo => "ROLLBACK",
            };
            self.connection.prepare_cached(sql)?.execute([])?;
            Ok(verdict)
        });
        match &ended {
            Ok(Verdict::Commit) => {
                self.last_commit = started.elapsed();
                tx.publish();
            }
            Ok(Verdict::Undo) => {}
            Err(error) => {
                tracing::error!(%error, "a batch of job operations was not stored");
                if !self.connection.is_autocommit() {
                    // Best effort: an error here means that SQLite rolled back already.
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
            }
        }
        ended
    }

    /// Sets what the next commits wait for. Not possible inside a transaction.
    fn set_level(&mut self, level: Durability) -> Result<(), EngineError> {
        if self.level != level {
            // Takes effect as it is compiled: a cached statement would do nothing the second time.
            self.connection.execute_batch(level.pragma())?;
            self.level = level;
        }
        Ok(())
    }

    /// Upkeep. Looks without the lock first, so that an idle process writes nothing.
    pub(super) fn sweep(&mut self) {
        let due = ops::sweep::is_due(&self.connection, &self.shared);
        let swept = match due {
            Ok(false) => return,
            Ok(true) => self.transact(self.durability, |tx| {
                tx.attempt(ops::sweep::sweep).map(|_| Verdict::Commit)
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "upkeep of the job store failed, will be tried again");
        }
    }

    fn close(&mut self) {
        let process = self.shared.process;
        let left = self.transact(self.durability, |tx| {
            tx.attempt(|tx| ops::sweep::leave(tx, process))?;
            Ok(Verdict::Commit)
        });
        if let Err(error) = left {
            tracing::warn!(%error, "the job store could not be left cleanly");
        }
        // Leaves a small file behind; readers may prevent it, which does no harm.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Some(done) = self.stop.take() {
            let _ = done.send(());
        }
    }
}

/// Takes the write lock, waiting in short random steps while another process has it.
fn begin(connection: &Connection, bound: Duration) -> Result<(), EngineError> {
    let started = Instant::now();
    loop {
        match connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]) {
            Ok(_) => return Ok(()),
            Err(error) if is_busy(&error) => {}
            Err(error) => return Err(error.into()),
        }
        if started.elapsed() >= bound {
            return Err(EngineError::Busy(bound));
        }
        std::thread::sleep(Duration::from_micros(50).mul_f64(1.0 + 19.0 * random_fraction()));
    }
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// [`is_busy`] of what became an error of the engine.
pub(super) fn is_busy_error(error: &EngineError) -> bool {
    let EngineError::Storage(cause) = error else {
        return false;
    };
    cause.downcast_ref::<rusqlite::Error>().is_some_and(is_busy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SqliteOptions;

    #[test]
    fn the_level_is_switched_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteOptions::new(folder.path().join("jobs.db"))
            .open()
            .unwrap();
        let connection = Connection::open(folder.path().join("other.db")).unwrap();
        let (_, line) = crossbeam_channel::bounded(1);
        let mut writer = Writer::new(
            connection,
            Arc::clone(engine.shared()),
            line,
            Durability::Full,
        );
        for _ in 0..3 {
            for (level, expected) in [(Durability::Normal, 1), (Durability::Full, 2)] {
                writer.set_level(level).unwrap();
                let found: i64 = writer
                    .connection
                    .pragma_query_value(None, "synchronous", |row| row.get(0))
                    .unwrap();
                assert_eq!(found, expected, "{level:?}");
            }
        }
    }
}
