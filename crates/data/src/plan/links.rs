//! Where the rows related to a row are listed.

use super::format_key;
use crate::resource::{Cardinality, Relation, Resource, Resources};
use crate::statement::Value;

/// A list of related rows: what filters it, by values of the row they are related to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The target's segment of the path, percent-encoded.
    pub(super) segment: String,
    /// Names of filters, each with the column of the row that has its value.
    pub(super) fields: Vec<(String, usize)>,
}

/// The address of the list of all rows a relation leads to. `None` when no exposed field tells them.
pub(super) fn address(
    resources: &Resources,
    resource: &Resource,
    relation: &Relation,
) -> Option<Address> {
    let target = resources.get(relation.target);
    let (prefix, owner, columns) = match &relation.junction {
        None => (String::new(), target, &relation.target_columns),
        Some(junction) => {
            let back = target.relations.iter().find(|back| {
                let mirrored = |other: &crate::resource::Junction| {
                    (other.table, &other.near, &other.far)
                        == (junction.table, &junction.far, &junction.near)
                };
                resources.get(back.target).table == resource.table
                    && back.junction.as_ref().is_some_and(mirrored)
            })?;
            let owner = resources.get(back.target);
            (format!("{}.", back.name), owner, &relation.columns)
        }
    };
    let field = |(&filtered, &own): (&usize, &usize)| {
        let field = &owner.fields[owner.field_of_column(filtered)?];
        let name = format!("{prefix}{}", field.name);
        field.comparable.then_some((name, own))
    };
    let fields: Option<Vec<_>> = columns.iter().zip(&relation.columns).map(field).collect();
    Some(Address {
        segment: format_key(&[Value::Text(target.path.clone())]),
        fields: fields?,
    })
}

/// What asks such a list for the rows behind those that are shown; `None` when its pages are shorter than that.
pub(super) fn next_page(
    resources: &Resources,
    relation: &Relation,
    json_api: bool,
) -> Option<String> {
    let Cardinality::Many { limit } = relation.cardinality else {
        return None;
    };
    let fits = limit <= resources.get(relation.target).max_limit;
    let (page, size) = if json_api {
        ("page%5Bnumber%5D", "page%5Bsize%5D")
    } else {
        ("page", "limit")
    };
    fits.then(|| format!("{page}=2&{size}={limit}"))
}
