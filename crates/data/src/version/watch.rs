//! The connection that watches for commits, and a cheaper look at the same thing.

use std::fs::File;
use std::mem::ManuallyDrop;

use rusqlite::Connection;

use super::ledger::Ledger;

const DATA_VERSION: &str = "PRAGMA data_version";

/// A number that changes when another connection commits. Costs some locking: several microseconds.
pub(crate) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(DATA_VERSION)?
        .query_row([], |row| row.get(0))
}

/// Reads the data version as seen by a connection that never writes.
#[derive(Debug)]
pub(super) struct Watch {
    connection: Connection,
    index: Option<WalIndex>,
    last: Option<(Header, i64)>,
    pub(super) ledger: Ledger,
}

impl Watch {
    pub(super) fn new(connection: Connection, tables: usize) -> rusqlite::Result<Self> {
        let seen = data_version(&connection)?;
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let index = (mode == "wal")
            .then(|| WalIndex::open(&connection))
            .flatten();
        Ok(Self {
            connection,
            index,
            last: None,
            ledger: Ledger::new(tables, seen),
        })
    }

    /// The data version now; `None` while the file is locked.
    pub(super) fn read(&mut self) -> Option<i64> {
        // The header is read first: a commit after that makes the next look differ.
        let header = self.index.as_ref().and_then(WalIndex::header);
        if let (Some(now), Some((then, version))) = (header, self.last)
            && now == then
        {
            return Some(version);
        }
        let version = data_version(&self.connection).ok()?;
        self.last = header.map(|header| (header, version));
        Some(version)
    }

    /// Brings the ledger up to date. Answers whether its counts stand for what is visible now.
    pub(super) fn observe(&mut self) -> bool {
        match self.read() {
            Some(now) => self.ledger.observe(now),
            None => false,
        }
    }
}

/// Both copies of the header of the wal-index (<https://sqlite.org/walformat.html> section 2.1).
type Header = [u8; 96];

/// The wal-index as a file. Every commit in WAL mode changes its header, and SQLite itself tells by
/// the same bytes whether there has been one; reading them takes one system call and no lock.
///
/// Only where memory mapped by one process and a file read by another are the same pages, as on
/// Linux, and never without a WAL: SQLite has none on network file systems, where a file read
/// without a lock can be old.
#[derive(Debug)]
struct WalIndex {
    /// Never closed: closing any descriptor of a file drops the locks that SQLite holds on it in this
    /// process (POSIX).
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "read on Linux only")
    )]
    file: ManuallyDrop<File>,
}

impl WalIndex {
    fn open(connection: &Connection) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let file = File::open(format!("{}-shm", connection.path()?)).ok()?;
        Some(Self {
            file: ManuallyDrop::new(file),
        })
    }

    #[cfg(target_os = "linux")]
    fn header(&self) -> Option<Header> {
        use std::os::unix::fs::FileExt;

        let mut header = [0; 96];
        self.file.read_exact_at(&mut header, 0).ok()?;
        Some(header)
    }

    #[cfg(not(target_os = "linux"))]
    fn header(&self) -> Option<Header> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheap_look_and_the_pragma_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t(n)")
            .unwrap();
        let mut watch = Watch::new(Connection::open(&path).unwrap(), 0).unwrap();
        assert_eq!(watch.index.is_some(), cfg!(target_os = "linux"));
        let check = |watch: &mut Watch, sql: &str, steps: bool| {
            let before = watch.read().unwrap();
            assert_eq!(watch.read(), Some(before), "looked at twice");
            writer.execute_batch(sql).unwrap();
            let after = watch.read().unwrap();
            assert_eq!(after != before, steps, "{sql}");
            assert_eq!(after, data_version(&watch.connection).unwrap(), "{sql}");
        };
        for _ in 0..50 {
            check(&mut watch, "INSERT INTO t VALUES (1)", true);
            check(
                &mut watch,
                "BEGIN; INSERT INTO t VALUES (2); ROLLBACK",
                false,
            );
            check(&mut watch, "UPDATE t SET n = n + 1", true);
            check(&mut watch, "PRAGMA wal_checkpoint(TRUNCATE)", true);
            check(&mut watch, "INSERT INTO t VALUES (3)", true);
            check(&mut watch, "SELECT count(*) FROM t", false);
        }
    }
}
