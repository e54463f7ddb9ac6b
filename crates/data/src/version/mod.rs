//! Table versions, known before the query: what makes validators and remembered answers possible.
//!
//! A [`Stamp`] stands for the state of some tables. Two equal stamps mean that nothing committed in
//! between changed them. On SQLite, whoever wrote: this process tells its own commits table by table, and any
//! other commit shows as a step of `PRAGMA data_version` on a connection that only watches, which
//! counts as a change of every table. Reading a stamp takes about a microsecond in WAL mode,
//! some more otherwise, and no rows. On PostgreSQL, where triggers tell of changes
//! ([`postgres::versions`](crate::postgres::versions)): the commits of this process always, those of others once
//! the server's notification is here.
//!
//! Stamps are salted at each start and mean nothing to another process. When *not* to use them: as
//! the version of one row, which must survive a change of its neighbours
//! ([`row_version_sql`](crate::sqlite::row_version_sql)).
//!
//! # Storing answers
//! An answer may be kept under a stamp only if its query saw the state the stamp stands for. Take a
//! [`ReadTicket`] before the query and ask [`ReadTicket::still_valid`] after it.

mod ledger;
mod stamp;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::catalog::{Catalog, TableId};
use watch::Watch;

pub use ledger::Touched;
pub use stamp::Stamp;

pub(crate) use stamp::Salt;
pub(crate) use watch::data_version;

/// The versions of all tables of one open database.
#[derive(Debug)]
pub struct Versions {
    watch: Mutex<Watch>,
    views: Box<[bool]>,
    salt: stamp::Salt,
}

/// What knows stamps.
pub(crate) trait Stamps: fmt::Debug + Send + Sync {
    /// The stamp of these tables now, if there is one to be had.
    fn stamp(&self, tables: &[TableId]) -> Option<Stamp>;
}

/// The stamp taken before a query, to be compared after it.
#[derive(Debug)]
pub struct ReadTicket {
    versions: Option<Arc<dyn Stamps>>,
    tables: Box<[TableId]>,
    stamp: Option<Stamp>,
}

/// A commit of this process that is under way. Dropping it without [`settle`](Self::settle) counts
/// as a change of every table.
#[derive(Debug)]
pub(crate) struct Commit<'versions> {
    versions: &'versions Versions,
    settled: bool,
}

impl Versions {
    /// Starts watching with a connection that does nothing else and never waits for locks.
    pub(crate) fn new(connection: Connection, catalog: &Catalog) -> Result<Self, rusqlite::Error> {
        let views: Box<[bool]> = catalog.tables().iter().map(|table| table.is_view).collect();
        let watch = Watch::new(connection, views.len())?;
        Ok(Self {
            watch: Mutex::new(watch),
            views,
            salt: stamp::Salt::random(),
        })
    }

    /// The stamp of these tables now, or `None` in the moment between a commit of this process
    /// becoming visible and its being accounted for, and while the file is locked: then answer
    /// without a stamp.
    ///
    /// A view counts as changed by every commit, for what it reads is not known. The order of
    /// `tables` matters: ask for the same tables in the same order.
    pub fn stamp(&self, tables: &[TableId]) -> Option<Stamp> {
        let mut watch = self.lock();
        if !watch.observe() {
            return None;
        }
        Some(self.salt.stamp(&watch.ledger, &self.views, tables))
    }

    /// Takes the stamp before a query.
    pub fn begin_read(self: &Arc<Self>, tables: &[TableId]) -> ReadTicket {
        ReadTicket::new(Arc::clone(self) as _, tables)
    }

    /// Accounts for every commit so far. Answers whether it could: the file may be locked.
    ///
    /// A writer that holds the write lock calls this so that what it sees of others later is new.
    pub(crate) fn catch_up(&self) -> bool {
        self.lock().observe()
    }

    /// Announces a commit of this process. Its changes must not be visible to others yet.
    pub(crate) fn begin_commit(&self) -> Commit<'_> {
        self.lock().ledger.begin_commit();
        Commit {
            versions: self,
            settled: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamps for Versions {
    fn stamp(&self, tables: &[TableId]) -> Option<Stamp> {
        Self::stamp(self, tables)
    }
}

impl ReadTicket {
    /// Takes the stamp.
    pub(crate) fn new(versions: Arc<dyn Stamps>, tables: &[TableId]) -> Self {
        Self {
            tables: tables.into(),
            stamp: versions.stamp(tables),
            versions: Some(versions),
        }
    }

    /// For an engine that does not know when tables change: never valid.
    pub(crate) fn unversioned() -> Self {
        Self {
            versions: None,
            tables: Box::default(),
            stamp: None,
        }
    }

    /// The stamp from before the query; `None` when there was none to be had.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Whether everything read since the ticket was taken belongs to its stamp: no commit to these
    /// tables has become visible since. Without a stamp the answer is no.
    pub fn still_valid(&self) -> bool {
        let now = |versions: &Arc<dyn Stamps>| versions.stamp(&self.tables);
        self.stamp.is_some() && self.stamp == self.versions.as_ref().and_then(now)
    }
}

impl Commit<'_> {
    /// Accounts for the commit once it has returned.
    ///
    /// `foreign` tells whether the writing connection saw a commit of another process since it was
    /// last asked. It is called after the watching connection has been read, under the same lock:
    /// whatever that reading included, `foreign` knows of.
    pub(crate) fn settle(mut self, touched: &Touched, foreign: impl FnOnce() -> bool) {
        let mut watch = self.versions.lock();
        let now = watch.read();
        let foreign = foreign();
        watch.ledger.end_commit(now, foreign, touched);
        self.settled = true;
    }
}

impl Drop for Commit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.versions
                .lock()
                .ledger
                .end_commit(None, true, &Touched::All);
        }
    }
}
