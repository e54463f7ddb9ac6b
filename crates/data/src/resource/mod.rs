//! What of a catalog is exposed: names, allow-lists, relations, limits.
//!
//! [`Resources::build`] checks what a configuration asks for against the catalog and reports every
//! mistake at once; [`Resources::discover`] exposes a whole database read-only without any
//! configuration. Both hide columns whose names look like secrets unless they are named.
//!
//! A relation leads from a row to rows of another exposed resource, and shows of them what that
//! resource shows. There are three kinds, all read from foreign keys:
//!
//! | from | to | name, unless the configuration gives one |
//! |---|---|---|
//! | the table that refers | one row | the single foreign-key column without `_id`, `Id` or `ID`: `AlbumId` gives `Album`, `user_id` gives `user`, `ReportsTo` stays |
//! | the table referred to | many rows; one, where the foreign key is unique | the referring resource: `posts`. Where several keys lead here, or a table refers to itself, `posts_by_author`: behind it the relation the other way |
//! | one side of a junction | many rows of the other side | the other resource: `tags`. Where several junctions lead there `tags_by_post_tags`, where both sides are one table `users_by_followee` |
//!
//! A junction is an exposed table whose primary key is exactly two foreign keys. The foreign-key column's own
//! name works in front of a dot too (`AlbumId.Title`), and is the only one that does where the derived name is
//! taken by another field or relation; a relation of the other kinds whose names are taken has to be named by the
//! configuration. In answers a relation always stands under its [`Relation::name`]. A column that is not exposed
//! gives no derived relation: its name would tell that it exists.

mod backward;
mod build;
mod discover;
mod error;
mod index;
mod owner;
mod relation;
mod reserved;
mod secret;
mod sort;
mod spec;

use std::sync::Arc;

pub(crate) use error::{DidYouMean, nearest};
pub use error::{ResourceError, ResourceErrorKind};
pub use index::MissingIndex;
pub(crate) use index::searched_whole;
pub use owner::{AccessVerb, Owners};
pub use reserved::{RESERVED_PARAMETERS, RESERVED_PATHS};
pub use secret::looks_secret;
pub use spec::{RelationSpec, ResourceSpec, WriteVerb};

use crate::catalog::{Catalog, Column, ColumnKind, Table, TableId};
use crate::encode::BigIntegers;
use crate::query::SortKey;

/// A resource's place among its [`Resources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u32);

impl ResourceId {
    pub(crate) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("there are fewer than 2^32 resources"))
    }

    /// The place as an index, from 0 and without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A column that clients may select, filter and sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in requests and answers: the column's.
    pub name: String,
    /// The column, by index in the resource's table.
    pub column: usize,
    /// The kind of its values.
    pub kind: ColumnKind,
    /// Whether it may be `NULL`.
    pub nullable: bool,
    /// Whether its values can be compared and sorted.
    pub comparable: bool,
    /// The values an enum has.
    pub labels: Option<Arc<[String]>>,
}

/// A way from a row to rows of another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name in answers, and in requests.
    pub name: String,
    /// The foreign-key column's name, where it works in front of a dot too.
    pub alias: Option<String>,
    /// The columns it starts from, by index in the resource's table.
    pub columns: Vec<usize>,
    /// The resource it leads to.
    pub target: ResourceId,
    /// The columns it leads to, by index in the target's table: one for each of `columns`, or with a
    /// junction for each of its `far` ones.
    pub target_columns: Vec<usize>,
    /// How many rows it leads to.
    pub cardinality: Cardinality,
    /// Whether it goes along a foreign key of the resource's own table: then the row itself tells which row is meant.
    pub is_forward: bool,
    /// The table between, if there is one.
    pub junction: Option<Junction>,
}

impl Relation {
    /// Whether it leads to any number of rows.
    pub fn is_many(&self) -> bool {
        matches!(self.cardinality, Cardinality::Many { .. })
    }
}

/// How many rows a relation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one: no two rows agree in all columns it leads to.
    One,
    /// Any number, of which at most `limit` are shown.
    Many {
        /// The most rows shown of one row's.
        limit: u32,
    },
}

/// A table each of whose rows relates a row of one resource to one of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Junction {
    /// The table.
    pub table: TableId,
    /// The resource that shows it, if one does: who reads the relation must be allowed to read that.
    pub resource: Option<ResourceId>,
    /// Its columns that refer to the relation's own, one for each of those.
    pub near: Vec<usize>,
    /// Its columns that refer to the target's.
    pub far: Vec<usize>,
}

/// A table or view as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its place.
    pub id: ResourceId,
    /// Its name in the configuration.
    pub name: String,
    /// Its segment of the URL.
    pub path: String,
    /// Its name in `fields[type]` and in JSON:API.
    pub type_name: String,
    /// The table or view behind it.
    pub table: TableId,
    /// What is exposed, in the table's order.
    pub fields: Vec<Field>,
    /// The relations: those that follow the table's own foreign keys first, and among each kind those of the
    /// configuration.
    pub relations: Vec<Relation>,
    /// What is selected when a request does not say, by index in `fields`.
    pub default_fields: Vec<usize>,
    /// The primary key's columns in key order, by index in the table: what `/{path}/{key}` names a
    /// row by. Empty when the table has no key, or hides a part of it: then rows are only listed.
    pub key: Vec<usize>,
    /// What may be written.
    pub write: Vec<WriteVerb>,
    /// The columns that name the owners of rows, by index in the table, where a verb is theirs alone.
    pub owners: Owners<usize>,
    /// Whether `/export/{path}` serves it.
    pub export: bool,
    /// Rows a page when a request does not say.
    pub default_limit: u32,
    /// The most rows a page.
    pub max_limit: u32,
    /// What may be sorted by, by index in `fields`; `None` for all whose values have an order.
    pub sortable: Option<Vec<usize>>,
    /// The order when a request does not say, before the primary key.
    pub default_sort: Vec<SortKey>,
    /// Whether large tables may be searched and sorted without an index.
    pub allow_unindexed: bool,
}

impl Resource {
    /// The field of exactly this name. A hidden column is not found, just as one that does not exist.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The field over this column of the table.
    pub fn field_of_column(&self, column: usize) -> Option<usize> {
        self.fields.iter().position(|field| field.column == column)
    }

    /// The relation of exactly this name, or whose foreign-key column has it.
    pub fn relation(&self, name: &str) -> Option<usize> {
        let named = self
            .relations
            .iter()
            .position(|relation| relation.name == name);
        named.or_else(|| {
            self.relations
                .iter()
                .position(|relation| relation.alias.as_deref() == Some(name))
        })
    }

    /// Whether this verb is allowed.
    pub fn can(&self, verb: WriteVerb) -> bool {
        self.write.contains(&verb)
    }

    /// Whether anything can be written.
    pub fn is_writable(&self) -> bool {
        !self.write.is_empty()
    }

    /// Whether single rows have an address.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }
}

/// A column that was hidden because of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenColumn {
    /// The resource's name.
    pub resource: String,
    /// The column's.
    pub column: String,
}

/// Everything that is exposed, together with the catalog it was resolved against.
#[derive(Debug, Clone)]
pub struct Resources {
    catalog: Arc<Catalog>,
    all: Vec<Resource>,
    hidden: Vec<HiddenColumn>,
    big_integers: BigIntegers,
    base_path: Arc<str>,
}

impl Resources {
    /// The same, with links to lists that begin with this path. Default: `/api`.
    #[must_use]
    pub fn with_base_path(mut self, path: &str) -> Self {
        self.base_path = path.into();
        self
    }

    /// Where lists are: what stands in links in front of `/` and a resource's path.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The same, with another form of big integers. Default: [`BigIntegers::Numbers`].
    #[must_use]
    pub fn with_big_integers(mut self, big_integers: BigIntegers) -> Self {
        self.big_integers = big_integers;
        self
    }

    /// What becomes of big integers in answers.
    pub fn big_integers(&self) -> BigIntegers {
        self.big_integers
    }

    /// Resolves what a configuration asks for.
    ///
    /// # Errors
    /// Every mistake found, not just the first.
    pub fn build(catalog: &Catalog, specs: Vec<ResourceSpec>) -> Result<Self, Vec<ResourceError>> {
        build::build(catalog, specs)
    }

    /// Exposes every table and view read-only, each under its own name.
    ///
    /// A table whose name is reserved gets the path `{name}_table`, with more underscores where
    /// that is taken. A table all of whose columns look like secrets is left out.
    pub fn discover(catalog: &Catalog) -> Self {
        discover::discover(catalog)
    }

    /// The catalog behind the resources.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// All resources, in the order given.
    pub fn all(&self) -> &[Resource] {
        &self.all
    }

    /// The resource of this id.
    ///
    /// # Panics
    /// When the id comes from other resources.
    pub fn get(&self, id: ResourceId) -> &Resource {
        &self.all[id.index()]
    }

    /// The resource served under this URL segment.
    pub fn by_path(&self, path: &str) -> Option<&Resource> {
        self.all.iter().find(|resource| resource.path == path)
    }

    /// The table behind a resource.
    pub fn table_of(&self, resource: &Resource) -> &Table {
        self.catalog.table(resource.table)
    }

    /// The column behind a field of a resource.
    pub fn column_of(&self, resource: &Resource, field: usize) -> &Column {
        &self.table_of(resource).columns[resource.fields[field].column]
    }

    /// The relations whose related rows cannot be found by an index: each row costs a search of their whole table.
    pub fn missing_indexes(&self) -> Vec<MissingIndex> {
        index::missing(self)
    }

    /// The columns that were hidden because their names look like secrets, for the start's log.
    pub fn hidden(&self) -> &[HiddenColumn] {
        &self.hidden
    }
}

#[cfg(test)]
mod tests;
