//! One write on the writer's connection, inside the transaction its group shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::constraint::{Constraint, Names};
use super::error::WriteError;
use super::plan::WritePlan;
use super::touched::Recorder;
use crate::catalog::{Catalog, TableId};
use crate::cell::Row as _;
use crate::resource::ResourceId;
use crate::run::Counters;
use crate::sqlite::{Connector, Guard, Limits, OpenError, Snapshot, SqliteRow, bind, classify};
use crate::statement::{Statement, Value};
use crate::version::{Touched, Versions, data_version};

/// The function that notes that an insertion became an update.
pub(super) const REPLACES: &str = "paceline_replaces";

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// Some or all of its columns were written.
    Updated,
    /// It was deleted.
    Deleted,
    /// Nothing: the body named no column to change.
    Unchanged,
}

/// A row that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The resource it was written through.
    pub resource: ResourceId,
    /// The table it is in.
    pub table: TableId,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Its key, in key order.
    pub key: Vec<Value>,
    /// Whose it is, where that decides who may read it.
    pub owner: Option<Value>,
}

/// A write that is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Which row, and what happened to it.
    pub change: Change,
    /// The row's version now; `None` when it was deleted or has no key.
    pub row_version: Option<String>,
    /// The tables that changed, those reached by cascades and triggers too.
    pub touched: Touched,
}

impl Written {
    /// Whether the row is there and has a key to find it by.
    pub(crate) fn can_be_read(&self) -> bool {
        self.change.kind != ChangeKind::Deleted && !self.change.key.is_empty()
    }
}

/// The writer's connection with all that listens on it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) connection: Connection,
    guard: Guard,
    counters: Arc<Counters>,
    recorder: Recorder,
    timeout: Duration,
    /// This connection's data version: it changes only by commits of others.
    seen: i64,
    wal_pages: Arc<AtomicI32>,
    /// Whether the last statement met the row that it would have created.
    replaced: Arc<AtomicBool>,
}

impl Session {
    pub(super) fn open(
        connector: &Connector,
        catalog: &Arc<Catalog>,
        counters: Arc<Counters>,
        timeout: Duration,
    ) -> Result<Self, OpenError> {
        let mut connection = connector.writer()?;
        let wal_pages = Arc::<AtomicI32>::default();
        let pages = Arc::clone(&wal_pages);
        let replaced = Arc::<AtomicBool>::default();
        let meets = Arc::clone(&replaced);
        let listen = || {
            connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
                pages.store(count, Ordering::Relaxed);
                Ok(())
            }))?;
            // Asked in the `WHERE` of `DO UPDATE`, which only a row that is there reaches. It must not be asked early:
            // hence not deterministic.
            connection.create_scalar_function(
                REPLACES,
                0,
                FunctionFlags::SQLITE_DIRECTONLY,
                move |_| {
                    meets.store(true, Ordering::Relaxed);
                    Ok(true)
                },
            )?;
            let recorder = Recorder::install(&mut connection, catalog)?;
            let guard = Guard::install(&mut connection)?;
            Ok((recorder, guard, data_version(&connection)?))
        };
        let (recorder, guard, seen) = listen().map_err(|error| connector.error(error))?;
        Ok(Self {
            connection,
            guard,
            counters,
            recorder,
            timeout,
            seen,
            wal_pages,
            replaced,
        })
    }

    /// Whether another process has committed since this was last asked. When it cannot be told, it has.
    pub(super) fn saw_foreign_commit(&mut self) -> bool {
        let now = data_version(&self.connection).ok();
        let foreign = now != Some(self.seen);
        self.seen = now.unwrap_or(self.seen);
        foreign
    }

    /// Holding the write lock, forgets the commits of others so far if the versions know of them.
    pub(super) fn catch_up(&mut self, versions: &Versions) {
        if versions.catch_up() {
            // Without an answer the old value stays, and the next question answers yes.
            self.saw_foreign_commit();
        }
    }

    /// How many pages the write-ahead log had at the last commit.
    pub(super) fn wal_pages(&self) -> i32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    /// Starts the clock of one write, or stops it.
    pub(super) fn limit(&self, on: bool) {
        self.guard.set(on.then(|| Limits {
            deadline: Instant::now() + self.timeout,
            cancelled: Arc::new(AtomicBool::new(false)),
        }));
    }

    /// Statements that see the write before it is committed.
    pub(super) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            connection: &self.connection,
            guard: &self.guard,
            counters: &self.counters,
        }
    }

    /// Runs the write. Nothing is committed yet.
    pub(super) fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError> {
        let mut touched = Touched::Tables(Vec::new());
        let mut kind = plan.kind;
        self.replaced.store(false, Ordering::Relaxed);
        let mut row = self.returning(&plan.statement, &plan.names, &mut touched)?;
        if plan.replaces_or_creates && self.replaced.load(Ordering::Relaxed) {
            kind = ChangeKind::Updated;
        }
        if row.is_none() {
            self.explain_absence(plan)?;
            if let Some(insert) = &plan.otherwise {
                kind = ChangeKind::Created;
                row = self.returning(insert, &plan.names, &mut touched)?;
            }
        }
        let Some(row) = row else {
            return Err(WriteError::Constraint(Constraint::refused()));
        };
        let change = plan.change(kind, row);
        let row_version = match &plan.version_sql {
            Some(sql) if kind != ChangeKind::Deleted => self.version(&Statement {
                sql: Arc::clone(sql),
                values: change.key.clone(),
            })?,
            _ => None,
        };
        Ok(Written {
            change,
            row_version,
            touched,
        })
    }

    /// Nothing was written: says why, unless the plan has something to do about an absent row.
    fn explain_absence(&self, plan: &WritePlan) -> Result<(), WriteError> {
        let current = plan.current.as_ref().map(|current| self.version(current));
        plan.judge_absence(current.transpose()?.flatten())
    }

    fn version(&self, statement: &Statement) -> Result<Option<String>, WriteError> {
        Ok(match self.snapshot().value(statement)? {
            Some(Value::Text(version)) => Some(version),
            _ => None,
        })
    }

    /// Runs a statement to its end and gives its rows.
    pub(super) fn rows(
        &mut self,
        statement: &Statement,
        names: &Names,
        touched: &mut Touched,
    ) -> Result<Vec<Vec<Value>>, WriteError> {
        self.counters.statement();
        self.recorder.begin(&self.connection);
        let outcome = self.all_rows(statement, usize::MAX);
        let (rows, writes) = outcome.map_err(|error| self.refused(error, names))?;
        if writes {
            touched.merge(&self.recorder.end(&statement.sql));
        }
        Ok(rows)
    }

    fn refused(&self, error: rusqlite::Error, names: &Names) -> WriteError {
        let constraint = Constraint::from_driver(&error, names);
        constraint.map_or_else(
            || classify(error, &self.guard).into(),
            WriteError::Constraint,
        )
    }

    /// Runs a statement to its end and gives its first row.
    fn returning(
        &mut self,
        statement: &Statement,
        names: &Names,
        touched: &mut Touched,
    ) -> Result<Option<Vec<Value>>, WriteError> {
        self.counters.statement();
        self.recorder.begin(&self.connection);
        let outcome = self.all_rows(statement, 1);
        let (mut rows, writes) = outcome.map_err(|error| self.refused(error, names))?;
        if writes {
            touched.merge(&self.recorder.end(&statement.sql));
        }
        Ok(rows.pop())
    }

    /// The first rows, at most `most`, once the statement has ended; and whether it can write.
    fn all_rows(
        &self,
        statement: &Statement,
        most: usize,
    ) -> rusqlite::Result<(Vec<Vec<Value>>, bool)> {
        let mut prepared = self.connection.prepare_cached(&statement.sql)?;
        let (columns, writes) = (prepared.column_count(), !prepared.readonly());
        bind(&mut prepared, statement)?;
        let mut rows = prepared.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if found.len() < most {
                let row = SqliteRow(row);
                let values = (0..columns).map(|column| Value::from(row.cell(column)));
                found.push(values.collect());
            }
        }
        Ok((found, writes))
    }
}
