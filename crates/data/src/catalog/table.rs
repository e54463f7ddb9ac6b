//! One table or view: its columns, keys and indexes.

use super::column::Column;

/// A table's place in its [`Catalog`](super::Catalog): small, cheap to copy and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(u32);

impl TableId {
    pub(crate) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("a schema has fewer than 2^32 tables"))
    }

    /// The place as an index, from 0 and without gaps: good for a vector of one entry a table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A reference of some columns to the key of another table, or of the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The referring columns, by index in their table.
    pub columns: Vec<usize>,
    /// The schema of the table referred to, where the engine has schemas.
    pub schema: Option<String>,
    /// The name of the table referred to, as the schema spells it. It need not exist.
    pub table: String,
    /// The columns referred to, by name, one for each of `columns`; empty for that table's primary key.
    pub references: Vec<String>,
}

/// One column of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumn {
    /// The column, by index in the table; `None` for an expression or the rowid.
    pub column: Option<usize>,
    /// Whether it is kept in descending order.
    pub descending: bool,
    /// Whether `NULL` is kept behind the values.
    pub nulls_last: bool,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it lets no two rows have equal columns. (`NULL` is not equal to `NULL`.)
    pub unique: bool,
    /// Whether it covers only rows that match a condition.
    pub partial: bool,
    /// Its columns, first one first.
    pub columns: Vec<IndexColumn>,
}

/// A condition that every row meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The columns it is about, by index in the table.
    pub columns: Vec<usize>,
}

/// The name under which a table's rowid can be read: none of its columns has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId(pub(crate) &'static str);

impl RowId {
    /// The name, safe to stand in SQL as it is.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its place in the catalog.
    pub id: TableId,
    /// The schema it is in, where the engine has schemas.
    pub schema: Option<String>,
    /// The name as the schema spells it.
    pub name: String,
    /// The columns in the schema's order. Hidden columns of the engine are not among them.
    pub columns: Vec<Column>,
    /// The primary key's columns by index, in key order; empty when there is none.
    pub primary_key: Vec<usize>,
    /// The foreign keys, in the schema's order.
    pub foreign_keys: Vec<ForeignKey>,
    /// The indexes, those the engine made for keys too.
    pub indexes: Vec<Index>,
    /// The conditions its rows meet, where the engine names them in its errors.
    pub checks: Vec<Check>,
    /// Whether this is a view: read-only, without a key of its own. A table of another server counts as one.
    pub is_view: bool,
    /// Whether its rows have no rowid: a `WITHOUT ROWID` table, or one of another engine than SQLite.
    pub without_rowid: bool,
    /// How many rows it had, more or less, when the catalog was read; `None` for a view.
    pub approximate_rows: Option<u64>,
}

impl Table {
    /// The column of this name: the exact spelling, else the same letters in another case.
    pub fn column(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        exact.or_else(|| {
            self.columns
                .iter()
                .position(|column| column.name.eq_ignore_ascii_case(name))
        })
    }

    /// The name under which the rowid can be read, if the table has one and no column covers all its names.
    pub fn rowid(&self) -> Option<RowId> {
        if self.is_view || self.without_rowid {
            return None;
        }
        let covered = |name: &&str| {
            self.columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(name))
        };
        ["rowid", "_rowid_", "oid"]
            .into_iter()
            .find(|name| !covered(name))
            .map(RowId)
    }

    /// Whether the primary key exists and is `NOT NULL` throughout, so that it tells any two rows apart.
    pub fn key_is_unique(&self) -> bool {
        !self.primary_key.is_empty()
            && self
                .primary_key
                .iter()
                .all(|&column| !self.columns[column].nullable)
    }

    /// Columns without `NULL` that tell any two rows apart: the primary key, or where there are no rowids
    /// those of a unique index.
    pub fn unique_key(&self) -> Option<Vec<usize>> {
        if self.key_is_unique() {
            return Some(self.primary_key.clone());
        }
        let whole = |index: &&Index| index.unique && !index.partial;
        let columns = |index: &Index| -> Option<Vec<usize>> {
            let named = index.columns.iter().map(|column| column.column);
            named
                .map(|column| column.filter(|&column| !self.columns[column].nullable))
                .collect()
        };
        let unique = self.indexes.iter().filter(whole).find_map(columns);
        unique.filter(|unique| !unique.is_empty() && self.without_rowid)
    }

    /// Whether no two rows can agree in all of these columns: they are, in any order, the primary
    /// key or all columns of a whole unique index.
    pub fn is_unique(&self, columns: &[usize]) -> bool {
        let same = |other: &[usize]| {
            other.len() == columns.len() && columns.iter().all(|column| other.contains(column))
        };
        if !columns.is_empty() && same(&self.primary_key) {
            return true;
        }
        self.indexes
            .iter()
            .filter(|index| index.unique && !index.partial)
            .any(|index| {
                let named: Option<Vec<usize>> =
                    index.columns.iter().map(|column| column.column).collect();
                named.is_some_and(|named| !named.is_empty() && same(&named))
            })
    }

    /// Whether a search or a sort by this column can start from an index: it is the rowid, or the
    /// first column of the primary key of a `WITHOUT ROWID` table or of a whole index.
    pub fn is_indexed(&self, column: usize) -> bool {
        self.columns[column].rowid_alias
            || (self.without_rowid && self.primary_key.first() == Some(&column))
            || self.indexes.iter().any(|index| {
                !index.partial
                    && index
                        .columns
                        .first()
                        .is_some_and(|first| first.column == Some(column))
            })
    }
}
