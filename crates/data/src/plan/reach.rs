//! The tables a relation leads over.

use super::columns::{column, column_of};
use crate::resource::{Relation, Resources};

/// Related rows in SQL.
pub(super) struct Reach {
    /// The target's table, and the junction where there is one, as they stand after `FROM`.
    pub(super) from: String,
    /// What is equal to the columns of the row they are related to, one for each.
    pub(super) columns: Vec<String>,
}

/// Where `relation` leads, with these aliases for the target and for a junction.
pub(super) fn reach(
    resources: &Resources,
    relation: &Relation,
    target_alias: usize,
    between: usize,
) -> Reach {
    let dialect = resources.catalog().dialect();
    let target = resources.get(relation.target);
    let to = relation.target_columns.iter();
    let to: Vec<String> = to
        .map(|&index| column(resources, target, target_alias, index))
        .collect();
    let table = dialect.table(resources.table_of(target));
    let table = format!("{table} AS t{target_alias}");
    let Some(junction) = &relation.junction else {
        return Reach {
            from: table,
            columns: to,
        };
    };
    let middle = resources.catalog().table(junction.table);
    let named = |index: &usize| column_of(resources, middle, between, *index);
    let on = to.iter().zip(junction.far.iter().map(named));
    let on = on.map(|(to, far)| format!("{to} = {far}"));
    Reach {
        from: format!(
            "{} AS t{between} JOIN {table} ON {}",
            dialect.table(middle),
            on.collect::<Vec<_>>().join(" AND ")
        ),
        columns: junction.near.iter().map(named).collect(),
    }
}
