//! What `check` says of relations.

use paceline_data::catalog::Table;
use paceline_data::resource::{Cardinality, Relation, Resource, Resources};

/// The relations of a resource, a line each.
pub(super) fn lines(resources: &Resources, resource: &Resource) -> Vec<String> {
    let relations = resource.relations.iter();
    relations
        .map(|relation| line(resources, relation))
        .collect()
}

/// Relations whose rows no index finds.
pub(super) fn warnings(resources: &Resources) -> Vec<String> {
    let missing = resources.missing_indexes();
    let warning = missing.iter().map(|missing| {
        format!(
            "warning: {}.{} reads all of {table} for each row: create an index on {table} ({})",
            missing.resource,
            missing.relation,
            missing.columns.join(", "),
            table = missing.table
        )
    });
    warning.collect()
}

/// A relation in a line: its name, what it leads to, and by which columns.
fn line(resources: &Resources, relation: &Relation) -> String {
    let target = resources.get(relation.target);
    let names = |table: &Table, columns: &[usize]| {
        let names = columns
            .iter()
            .map(|&column| table.columns[column].name.clone());
        names.collect::<Vec<_>>().join(", ")
    };
    let shown = match relation.cardinality {
        Cardinality::One => "one".to_owned(),
        Cardinality::Many { limit } => format!("at most {limit}"),
    };
    let by = match &relation.junction {
        Some(junction) => {
            let table = resources.catalog().table(junction.table);
            format!("through {} ({})", table.name, names(table, &junction.near))
        }
        None if relation.is_forward => String::new(),
        None => {
            let table = resources.table_of(target);
            format!("that refer by {}", names(table, &relation.target_columns))
        }
    };
    format!("  {}: {shown} of {} {by}", relation.name, target.name)
        .trim_end()
        .to_owned()
}
