//! Refuses what would read a whole large table for one page.

use super::order::is_walked;
use crate::catalog::Table;
use crate::query::{Filter, QueryError, QueryErrorCode, SortKey, name};
use crate::resource::{Resource, Resources};

/// Tables up to this size may be searched and sorted without an index.
pub const LARGE_TABLE: u64 = 100_000;

/// The rule: on a table above [`LARGE_TABLE`] rows at least one filter must be on the first column of an
/// index, or there is none; and unless such a filter narrows the rows, the first sort key must be the first
/// column of an index too. A resource with `allow_unindexed` is not checked.
///
/// A filter on a relation searches the related table, for which the same holds. It narrows the rows where the
/// relation begins at the first column of an index. A sort by related rows has no index.
pub(super) fn check(
    resources: &Resources,
    resource: &Resource,
    filters: &[Filter],
    sort: &[SortKey],
) -> Result<(), QueryError> {
    let search = Search {
        resources,
        base: resource,
    };
    if !search.allows(resource, filters, 0)? {
        return Ok(());
    }
    let table = resources.table_of(resource);
    let indexed = |key: &SortKey| {
        key.path.is_empty() && leads_an_index(table, resource.fields[key.field].column)
    };
    match sort.first() {
        Some(key) if !indexed(key) => {
            let name = name(resources, resource, &key.path, key.field);
            Err(refusal("sort", &name))
        }
        _ => Ok(()),
    }
}

/// The tables searched by the filters of one request.
struct Search<'a> {
    resources: &'a Resources,
    base: &'a Resource,
}

impl Search<'_> {
    /// Checks the filters whose paths lead to `resource` by their first `depth` relations. Answers whether it is read
    /// whole, and too large for that to be sorted.
    fn allows(
        &self,
        resource: &Resource,
        filters: &[Filter],
        depth: usize,
    ) -> Result<bool, QueryError> {
        let table = self.resources.table_of(resource);
        let next = |filter: &Filter| filter.path.get(depth).copied();
        let mut narrowed = false;
        for group in filters.chunk_by(|left, right| next(left) == next(right)) {
            match group.first().and_then(next) {
                Some(relation) => {
                    let relation = &resource.relations[relation];
                    self.allows(self.resources.get(relation.target), group, depth + 1)?;
                    narrowed |= leads_an_index(table, relation.columns[0]);
                }
                None => {
                    narrowed |= group.iter().any(|filter| {
                        let column = resource.fields[filter.field].column;
                        filter.operator.uses_index() && leads_an_index(table, column)
                    });
                }
            }
        }
        let is_small = table
            .approximate_rows
            .is_none_or(|rows| rows <= LARGE_TABLE);
        if narrowed || is_small || resource.allow_unindexed {
            return Ok(false);
        }
        match filters.first() {
            Some(filter) => {
                let name = name(self.resources, self.base, &filter.path, filter.field);
                Err(refusal("filter", &name))
            }
            None => Ok(true),
        }
    }
}

/// What a configuration lets clients sort by although no index is in that order: the first key of the usual order, and
/// each field that may be sorted by; a `-` in front for largest first. Nothing is said of views, which have no indexes.
pub fn unserved_sorts(resources: &Resources, resource: &Resource) -> Vec<UnservedSort> {
    if resources.table_of(resource).is_view {
        return Vec::new();
    }
    let unserved = |key: &SortKey| !is_walked(resources, resource, key);
    let name = |key: &SortKey| {
        let sign = if key.descending { "-" } else { "" };
        format!("{sign}{}", resource.fields[key.field].name)
    };
    let usual = resource.default_sort.first().filter(|key| unserved(key));
    let allowed = resource
        .sortable
        .iter()
        .flatten()
        .map(|&field| SortKey::own(field, false));
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
