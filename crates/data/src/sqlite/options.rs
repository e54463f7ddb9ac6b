//! How a SQLite file is opened and how much it may be asked to do at once.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether the file may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// The file is left as it is.
    #[default]
    ReadOnly,
    /// The file is put into WAL mode and written with `synchronous=FULL`.
    ReadWrite,
}

/// How to open a SQLite file. Every bound has a default.
#[derive(Clone)]
#[must_use = "pass it to `open`"]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    pub(crate) read_connections: NonZeroUsize,
    pub(crate) query_timeout: Duration,
    pub(crate) queue: NonZeroUsize,
    pub(crate) max_exports: NonZeroUsize,
    pub(crate) export_stall_timeout: Duration,
    pub(crate) row_version_key: Option<[u8; 32]>,
}

impl SqliteOptions {
    /// Opens the file at `path` read-only. The path is taken literally: neither `file:` addresses nor
    /// `:memory:` mean anything special.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            path: path.as_ref().to_owned(),
            access: Access::ReadOnly,
            read_connections: processors,
            query_timeout: Duration::from_secs(5),
            queue: const { NonZeroUsize::new(1024).expect("a literal above zero") },
            max_exports: const { NonZeroUsize::new(4).expect("a literal above zero") },
            export_stall_timeout: Duration::from_secs(30),
            row_version_key: None,
        }
    }

    /// Whether the file may be changed. Default: [`Access::ReadOnly`].
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// How many threads run queries. Default: one per processor.
    pub fn read_connections(mut self, threads: NonZeroUsize) -> Self {
        self.read_connections = threads;
        self
    }

    /// How long a query may take, its time in the queue and waiting for locks included. Default: 5 s.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// How many queries may wait for a thread; the next one is refused as overload. Default: 1024.
    pub fn queue(mut self, waiting: NonZeroUsize) -> Self {
        self.queue = waiting;
        self
    }

    /// How many exports may run at once; the next one is refused as overload. Default: 4.
    pub fn max_exports(mut self, exports: NonZeroUsize) -> Self {
        self.max_exports = exports;
        self
    }

    /// How long an export may go without a frame: made by the statement, or taken by the client.
    /// Default: 30 s.
    pub fn export_stall_timeout(mut self, timeout: Duration) -> Self {
        self.export_stall_timeout = timeout;
        self
    }

    /// The key of the row versions. A version covers hidden columns too, and without a key one could
    /// be tested against guesses of them. Default: random for each opening, so that row versions do
    /// not outlive the process; give a secret one to keep them.
    pub fn row_version_key(mut self, key: [u8; 32]) -> Self {
        self.row_version_key = Some(key);
        self
    }
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("access", &self.access)
            .field("read_connections", &self.read_connections)
            .field("query_timeout", &self.query_timeout)
            .field("queue", &self.queue)
            .field("max_exports", &self.max_exports)
            .field("export_stall_timeout", &self.export_stall_timeout)
            .finish_non_exhaustive()
    }
}
