//! Refuses what would read a whole large table for one page.

use super::order::is_walked;
use crate::catalog::Table;
use crate::query::{Filter, QueryError, QueryErrorCode, SortKey};
use crate::resource::{Resource, Resources};

/// Tables up to this size may be searched and sorted without an index.
pub const LARGE_TABLE: u64 = 100_000;

/// The rule: on a table above [`LARGE_TABLE`] rows at least one filter must be on the first column of an
/// index, or there is none; and unless such a filter narrows the rows, the first sort key must be the first
/// column of an index too. A resource with `allow_unindexed` is not checked.
pub(super) fn check(
    resources: &Resources,
    resource: &Resource,
    filters: &[Filter],
    sort: &[SortKey],
) -> Result<(), QueryError> {
    let table = resources.table_of(resource);
    if resource.allow_unindexed
        || table
            .approximate_rows
            .is_none_or(|rows| rows <= LARGE_TABLE)
    {
        return Ok(());
    }
    let indexed = |field: usize| leads_an_index(table, resource.fields[field].column);
    let narrowed = filters
        .iter()
        .any(|filter| filter.operator.uses_index() && indexed(filter.field));
    if narrowed {
        return Ok(());
    }
    if let Some(filter) = filters.first() {
        return Err(refusal("filter", &resource.fields[filter.field].name));
    }
    match sort.first() {
        Some(key) if !indexed(key.field) => Err(refusal("sort", &resource.fields[key.field].name)),
        _ => Ok(()),
    }
}

/// What a configuration lets clients sort by although no index is in that order: the first key of the usual order, and
/// each field that may be sorted by; a `-` in front for largest first. Nothing is said of views, which have no indexes.
pub fn unserved_sorts(resources: &Resources, resource: &Resource) -> Vec<UnservedSort> {
    if resources.table_of(resource).is_view {
        return Vec::new();
    }
    let unserved = |key: &SortKey| !is_walked(resources, resource, *key);
    let name = |key: &SortKey| {
        let sign = if key.descending { "-" } else { "" };
        format!("{sign}{}", resource.fields[key.field].name)
    };
    let usual = resource.default_sort.first().filter(|key| unserved(key));
    let allowed = resource.sortable.iter().flatten().map(|&field| SortKey {
        field,
        descending: false,
    });
    usual
        .map(|key| UnservedSort::Usual(name(key)))
        .into_iter()
        .chain(
            allowed
                .filter(unserved)
                .map(|key| UnservedSort::Allowed(name(&key))),
        )
        .collect()
}

/// An order that is offered and no index is in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnservedSort {
    /// The order of requests that name none begins with this key.
    Usual(String),
    /// This field may be sorted by.
    Allowed(String),
}

fn leads_an_index(table: &Table, column: usize) -> bool {
    let key = table.primary_key.first() == Some(&column);
    let index = |index: &crate::catalog::Index| {
        !index.partial && index.columns.first().and_then(|first| first.column) == Some(column)
    };
    key || table.indexes.iter().any(index)
}

fn refusal(what: &str, field: &str) -> QueryError {
    let parameter = if what == "sort" { "sort" } else { field };
    let detail = format!(
        "This would read the whole table: it has more than {LARGE_TABLE} rows and no index on {field:?}. \
         Add a filter on an indexed field, or have the operator create an index."
    );
    QueryError::new(QueryErrorCode::Unindexed, parameter, detail)
}
