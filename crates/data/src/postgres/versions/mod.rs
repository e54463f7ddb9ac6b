//! Table versions on `PostgreSQL`: triggers that tell of changes, and one connection that listens.
//!
//! [`install`] puts a trigger on each table that sends a notification (`NOTIFY`) once a statement. The server hands
//! it out after the commit, and only once every new snapshot sees the commit, so whoever reads after hearing of a
//! change reads what it changed. A notification carries no version: which one is the latest would depend on the
//! order of commits, which nobody knows before they happen. It says which table changed; counting is ours, and
//! counts mean nothing beyond one listening connection.
//!
//! What may be relied on:
//! - Who writes through [`Database`](crate::Database) is answered after this process has heard of that write: a mark
//!   sent in the same transaction comes after all that its triggers told, those reached by cascades too.
//! - A commit of somebody else counts from when its notification is here. Until then an answer may be the one from
//!   before.
//! - Nothing is relied on for longer than three seconds after the beginning of the last round trip that was answered
//!   on the listening connection. After a gap everything counts as changed.
//! - Changes that fire no trigger (a definition that is changed, a trigger that is switched off) are found by
//!   looking at the server's catalog with each round trip, once a second.
//!
//! *Not* for poolers in transaction mode: a listening session must be ours. See `docs/versions.md`.

pub mod install;
mod ledger;
mod listen;
mod names;
mod read;
mod schema;
mod state;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::catalog::{Catalog, TableId};
use crate::pool::{Clock as _, SystemClock};
use crate::version::{Salt, Stamp, Stamps};
use ledger::Ledger;
use names::{MARK, NAME};

pub(crate) use listen::Listener;
pub(super) use read::is_installed;
pub use schema::Untold;
pub use state::{NotUsed, VersionState};

/// How long a writer waits for its own mark. Later every table counts as changed instead.
const OWN: Duration = Duration::from_secs(1);

/// The versions of all tables of one database, as far as they are told.
#[derive(Debug)]
pub(crate) struct PostgresVersions {
    heard: Mutex<Heard>,
    salt: Salt,
    /// What the marks of this process begin with.
    process: String,
    marks: AtomicU64,
    /// Woken when the server tells that triggers came or went.
    layout_told: Notify,
    catalog: Arc<Catalog>,
}

/// What the lock guards. Held for moments only.
#[derive(Debug)]
struct Heard {
    ledger: Ledger,
    waiting: HashMap<u64, oneshot::Sender<()>>,
    state: VersionState,
    /// Why some tables are not told, as it was last written to the log.
    untold: Vec<String>,
}

impl PostgresVersions {
    pub(super) fn new(catalog: &Arc<Catalog>) -> Self {
        let mut process = [0; 8];
        getrandom::fill(&mut process).expect("the operating system gives random bytes");
        Self {
            heard: Mutex::new(Heard {
                ledger: Ledger::new(catalog.tables().len()),
                waiting: HashMap::new(),
                state: VersionState::Lost,
                untold: Vec::new(),
            }),
            salt: Salt::random(),
            process: format!("{:016x}", u64::from_ne_bytes(process)),
            marks: AtomicU64::new(0),
            layout_told: Notify::new(),
            catalog: Arc::clone(catalog),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A notification.
    fn hear(&self, channel: &str, text: &str) {
        if channel != NAME {
            return;
        }
        let mut heard = self.lock();
        if let Some(mark) = text.strip_prefix(MARK) {
            let own = mark.strip_prefix(&*self.process);
            let number = own.and_then(|rest| rest.strip_prefix('.')?.parse().ok());
            let waiting = number.and_then(|number: u64| heard.waiting.remove(&number));
            if let Some(waiting) = waiting {
                // The writer may have given up.
                let _ = waiting.send(());
            }
        } else if let Ok(relation) = text.parse() {
            heard.ledger.relation(relation);
        } else {
            // Triggers came or went, or somebody says something that we do not know.
            heard.ledger.forget_layout();
            self.layout_told.notify_one();
        }
    }

    /// Nobody is heard any more; nobody is to wait for what would be heard.
    fn end(&self) {
        let mut heard = self.lock();
        heard.ledger.end();
        heard.waiting.clear();
        if !matches!(heard.state, VersionState::NotUsed(_)) {
            heard.state = VersionState::Lost;
        }
    }

    /// Prepares a write. Its mark must be sent in the write's transaction.
    pub(super) fn announce(self: &Arc<Self>) -> Mark {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        let (sender, heard) = oneshot::channel();
        let mut state = self.lock();
        state.waiting.insert(number, sender);
        Mark {
            versions: Arc::clone(self),
            number,
            session: state.ledger.session(),
            heard: Some(heard),
        }
    }

    /// Whether tables are told of now, and which.
    pub(super) fn state(&self) -> VersionState {
        self.lock().state.clone()
    }
}

impl Stamps for PostgresVersions {
    fn stamp(&self, tables: &[TableId]) -> Option<Stamp> {
        let now = SystemClock.now();
        let heard = self.lock();
        let ledger = &heard.ledger;
        let known = ledger.is_current(now) && tables.iter().all(|table| ledger.knows(*table));
        known.then(|| {
            let counts = tables.iter().map(|table| (*table, ledger.count(*table)));
            self.salt.of(ledger.epoch(), counts)
        })
    }
}

/// A write that is under way.
#[derive(Debug)]
pub(super) struct Mark {
    versions: Arc<PostgresVersions>,
    number: u64,
    /// The session that was heard when the write began.
    session: Option<u64>,
    heard: Option<oneshot::Receiver<()>>,
}

impl Mark {
    /// The statement that sends it.
    pub(super) fn sql(&self) -> String {
        let Self {
            versions, number, ..
        } = self;
        format!("NOTIFY {NAME}, '{MARK}{}.{number}'", versions.process)
    }

    /// After the commit: waits until it is heard, so that no stamp from before it is current any more.
    pub(super) async fn settle(mut self, table: TableId) {
        let waits = {
            let mut heard = self.versions.lock();
            heard.ledger.own(table);
            match heard.ledger.session() {
                // Whichever session comes next begins after the commit.
                None => false,
                // The mark is on its way to the session that listened all the time.
                session if session == self.session => true,
                // This one may have begun to listen too late for the mark, and to read too early for the commit.
                Some(_) => {
                    heard.ledger.everything();
                    false
                }
            }
        };
        let Some(mark) = self.heard.take().filter(|_| waits) else {
            return;
        };
        // An error tells that the session ended: the next one begins after the commit.
        if timeout(OWN, mark).await.is_err() {
            tracing::warn!(
                "the notification of an own write did not come within a second: every table counts as changed"
            );
            self.versions.lock().ledger.everything();
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.versions.lock().waiting.remove(&self.number);
    }
}
