//! What the database holds: tables, columns, keys and relations, read once from its schema.
//!
//! A [`Catalog`] is plain data. [`sqlite`] reads one from a connection; tests build theirs by
//! running a schema in memory.

mod column;
mod estimate;
pub(crate) mod mysql;
pub(crate) mod postgres;
pub mod sqlite;
mod table;

pub use column::{Column, ColumnKind, Native, Shown};
pub use table::{Check, ForeignKey, Index, IndexColumn, RowId, Table, TableId};

use crate::sql::SqlDialect;

/// The tables and views of one database.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    dialect: SqlDialect,
    tables: Vec<Table>,
    skipped: Vec<Skipped>,
}

/// A table or view that was left out of the catalog, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why, as a sentence for the log.
    pub reason: String,
}

impl Catalog {
    /// Puts the catalog of a database that speaks `dialect` together from tables, which get their ids in the
    /// order given.
    pub fn new(dialect: SqlDialect, mut tables: Vec<Table>, skipped: Vec<Skipped>) -> Self {
        for (index, table) in tables.iter_mut().enumerate() {
            table.id = TableId::from_index(index);
        }
        Self {
            dialect,
            tables,
            skipped,
        }
    }

    /// The SQL the database speaks.
    pub fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    /// All tables and views, in the order the schema created them.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table with this id.
    ///
    /// # Panics
    /// When the id comes from another catalog.
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.index()]
    }

    /// The table of this name: the exact spelling, else the same letters in another case, as SQL has it.
    pub fn find(&self, name: &str) -> Option<&Table> {
        let exact = self.tables.iter().find(|table| table.name == name);
        exact.or_else(|| {
            self.tables
                .iter()
                .find(|table| table.name.eq_ignore_ascii_case(name))
        })
    }

    /// The table a foreign key refers to, if it is in the catalog.
    pub fn referred(&self, key: &ForeignKey) -> Option<&Table> {
        match &key.schema {
            None => self.find(&key.table),
            Some(schema) => self
                .tables
                .iter()
                .find(|table| table.schema.as_ref() == Some(schema) && table.name == key.table),
        }
    }

    /// What the reader left out, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
