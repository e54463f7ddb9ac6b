//! Relations that are searched without an index.

use super::{Relation, Resource, Resources};
use crate::catalog::Table;

/// A relation whose related rows are found by reading their whole table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingIndex {
    /// The resource's name.
    pub resource: String,
    /// The relation's.
    pub relation: String,
    /// The table that has no such index.
    pub table: String,
    /// The columns an index on which would serve.
    pub columns: Vec<String>,
}

pub(super) fn missing(resources: &Resources) -> Vec<MissingIndex> {
    let mut found = Vec::new();
    for resource in resources.all() {
        let relations = resource.relations.iter();
        found.extend(relations.filter_map(|relation| of(resources, resource, relation)));
    }
    found
}

fn of(resources: &Resources, resource: &Resource, relation: &Relation) -> Option<MissingIndex> {
    let (table, columns) = searched_whole(resources, relation)?;
    let name = |&column: &usize| table.columns[column].name.clone();
    Some(MissingIndex {
        resource: resource.name.clone(),
        relation: relation.name.clone(),
        table: table.name.clone(),
        columns: columns.iter().map(name).collect(),
    })
}

/// The table that is read whole for each row to find the rows a relation leads to, and the columns by which.
pub(crate) fn searched_whole<'a>(
    resources: &'a Resources,
    relation: &'a Relation,
) -> Option<(&'a Table, &'a [usize])> {
    let (table, columns): (&Table, &[usize]) = match &relation.junction {
        Some(junction) => (resources.catalog().table(junction.table), &junction.near),
        None => (
            resources.table_of(resources.get(relation.target)),
            &relation.target_columns,
        ),
    };
    // One of the columns at the front of an index narrows the search.
    let is_found = columns.iter().any(|&column| table.is_indexed(column));
    (!is_found).then_some((table, columns))
}
