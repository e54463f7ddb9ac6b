//! A SQLite file with everything that belongs to it: readers, the writer, the versions of its tables.

use std::sync::Arc;

use super::{Access, OpenError, SqliteDatabase, SqliteOptions};
use crate::catalog::{Catalog, sqlite::read};
use crate::version::Versions;
use crate::write::{IdleWriter, Writer};

/// The engine behind a [`Database`](crate::Database) over a file.
#[derive(Debug)]
pub(crate) struct SqliteEngine {
    pub(crate) database: SqliteDatabase,
    pub(crate) versions: Arc<Versions>,
    pub(crate) writer: Option<Writer>,
}

impl SqliteEngine {
    /// Opens the file, reads its schema, and starts its threads.
    pub(crate) fn open(options: &SqliteOptions) -> Result<(Self, Arc<Catalog>), OpenError> {
        let database = SqliteDatabase::open(options)?;
        let connector = database.connector();
        let failed = |error| connector.error(error);
        let catalog = Arc::new(read(&connector.reader()?).map_err(failed)?);
        let writer = match connector.access() {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(IdleWriter::open(
                connector,
                options,
                &catalog,
                Arc::clone(database.counters()),
            )?),
        };
        let versions = Arc::new(Versions::new(connector.watcher()?, &catalog).map_err(failed)?);
        let writer = writer
            .map(|writer| writer.start(Arc::clone(&versions), connector))
            .transpose()?;
        let engine = Self {
            database,
            versions,
            writer,
        };
        Ok((engine, catalog))
    }

    /// Finishes what is queued, writes first, and stops the threads.
    pub(crate) fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
        self.database.close();
    }
}
