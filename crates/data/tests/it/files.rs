//! Database files for the tests, and an encoder whose output is easy to compare.

use std::path::PathBuf;

use paceline_data::encode::{EncodeError, RowEncoder};
use paceline_data::{Cell, Row, Statement, Value};
use rusqlite::Connection;
use tempfile::TempDir;

/// A statement that ends only when it is stopped, and gives no row before.
pub(crate) const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// A database in a folder of its own, removed when dropped.
pub(crate) struct File {
    folder: TempDir,
}

impl File {
    /// A new database with this schema, in rollback-journal mode.
    pub(crate) fn new(schema: &str) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        file.connect().execute_batch(schema).unwrap();
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// The names in the folder.
    pub(crate) fn listing(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A connection of somebody else: what another process would have.
    pub(crate) fn connect(&self) -> Connection {
        let connection = Connection::open(self.path()).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        connection
    }
}

pub(crate) fn sql(text: &str) -> Statement {
    Statement {
        sql: text.into(),
        values: Vec::new(),
    }
}

pub(crate) fn sql_with(text: &str, values: Vec<Value>) -> Statement {
    Statement {
        sql: text.into(),
        values,
    }
}

/// Writes `[`, the first column of each row and a comma, `]`.
#[derive(Debug)]
pub(crate) struct FirstColumn;

impl RowEncoder for FirstColumn {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match row.cell(0) {
            Cell::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Cell::Real(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Cell::Text(bytes) | Cell::Blob(bytes) => out.extend_from_slice(bytes),
            _ => out.extend_from_slice(b"null"),
        }
        out.push(b',');
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.push(b']');
    }
}

/// Panics at the first row.
#[derive(Debug)]
pub(crate) struct Broken;

impl RowEncoder for Broken {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn row(&mut self, row: &dyn Row, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        panic!("no column {:?}", row.cell(0))
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}
