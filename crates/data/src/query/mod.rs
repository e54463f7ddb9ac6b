//! The parameters of a request, parsed and checked against a resource.
//!
//! Nothing malformed is corrected in silence: every mistake is a [`QueryError`] that names the
//! parameter. A hidden column is as unknown as one that does not exist, with the same error.
//!
//! | parameter | also | meaning |
//! |---|---|---|
//! | `page=2` | `page[number]` | page number, from 1 |
//! | `limit=50` | `page[size]` | rows a page |
//! | `cursor=…` | `page[cursor]` | continue where an answer's `next` says; not with `page` |
//! | `sort=-created_at,author.name` | | order, `-` for largest first; not by relations to several rows |
//! | `name=value`, `name[gte]=value` | `filter[name]`, `filter[name][gte]` | only rows that pass |
//! | `count=none` | | `exact` (default with pages), `estimated`, `none` (default with cursors) |
//! | `author.name=value`, `posts.title[like]=value` | `filter[author.name]` | only rows to which such a row is related |
//! | `fields=id,author.name` | `fields=id,author(name)` | what to show of each row; a list where several rows are related |
//! | `fields[user]=id,name` | | the same by type; a type not named shows its default fields |
//! | `include=author` | | related rows too |

mod error;
mod fields;
mod filter;
mod paging;
mod parameters;
mod path;
mod request;
mod selection;
mod value;

pub use error::{QueryError, QueryErrorCode};
pub use fields::{DEEPEST_SELECTION, FieldNode, MOST_SELECTED, parse_fields};
pub use filter::{
    Filter, FilterName, LONGEST_PATTERN, MOST_FILTERS, MOST_IN_LIST, Operator, parse_filter_name,
};
pub use paging::{Count, MOST_SORT_KEYS, Position, SortKey};
pub use parameters::{LONGEST_QUERY, MOST_PARAMETERS, Parameter, parse_parameters};
pub(crate) use path::{end, name};
pub use request::{parse_export, parse_list, parse_one};
pub use selection::Selection;
pub use value::typed;
pub(crate) use value::{is_time, is_uuid};

use crate::principal::Principal;
use crate::resource::ResourceId;

/// The most related tables one request may read.
pub const MOST_JOINS: usize = 16;

/// The most rows that may be related to one: the bounds of relations to several rows, inside each other. Three of the
/// usual bound lie within each other.
pub const MOST_RELATED_ROWS: u64 = 2_000_000;

/// Which conventions the answer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Plain JSON, NDJSON, CSV: related rows are nested.
    Plain,
    /// JSON:API 1.1: related rows are linked, and included when asked for.
    JsonApi,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Of which resource.
    pub resource: ResourceId,
    /// What of each row.
    pub selection: Selection,
    /// Which rows, in canonical order.
    pub filters: Vec<Filter>,
    /// In which order; empty for the key's.
    pub sort: Vec<SortKey>,
    /// From where.
    pub position: Position,
    /// How many.
    pub limit: u32,
    /// Whether to count all.
    pub count: Count,
    /// Which conventions.
    pub dialect: Dialect,
    /// Who asks; rows with owners are shown to nobody else. Parsing sets none.
    pub viewer: Option<Principal>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct OneQuery {
    /// Of which resource.
    pub resource: ResourceId,
    /// What of it.
    pub selection: Selection,
    /// Whether the answer is `{"data": …}`: when `fields[type]` was used.
    pub enveloped: bool,
    /// Which conventions.
    pub dialect: Dialect,
    /// Who asks; rows with owners are shown to nobody else. Parsing sets none.
    pub viewer: Option<Principal>,
}

/// All rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportQuery {
    /// Of which resource.
    pub resource: ResourceId,
    /// What of each row.
    pub selection: Selection,
    /// Which rows, in canonical order.
    pub filters: Vec<Filter>,
    /// Who asks; rows with owners are shown to nobody else. Parsing sets none.
    pub viewer: Option<Principal>,
}

#[cfg(test)]
mod tests;
