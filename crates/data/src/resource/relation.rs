//! Relations along the foreign keys of a table: which there are, and what they are called.

use std::collections::BTreeMap;

use super::error::{DidYouMean, ResourceErrorKind, nearest};
use super::{Cardinality, Relation, RelationSpec, Resource, ResourceId};
use crate::catalog::{Catalog, ForeignKey, Table};

/// A mistake in the `relations` of one resource: key, value, kind, message.
pub(super) type Mistake = (String, String, ResourceErrorKind, String);

/// A foreign key that leads to at most one row of an exposed resource.
struct Path {
    columns: Vec<usize>,
    target: ResourceId,
    target_columns: Vec<usize>,
}

/// The relations of `resource`; mistakes in the configured ones are added to `mistakes`.
pub(super) fn resolve(
    catalog: &Catalog,
    resources: &[Resource],
    resource: &Resource,
    configured: &BTreeMap<String, RelationSpec>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Relation> {
    let table = catalog.table(resource.table);
    let mut paths: Vec<Path> = table
        .foreign_keys
        .iter()
        .filter_map(|key| follow(catalog, resources, key))
        .collect();
    let mut relations = Vec::new();
    let forward = configured
        .iter()
        .filter(|(_, spec)| spec.from.is_none() && spec.through.is_none() && !spec.by.is_empty());
    for (name, spec) in forward {
        let columns = &spec.by;
        if spec.limit.is_some() {
            let message = format!("{name:?} leads to one row: it takes no limit");
            let key = format!("relations.{name}.limit");
            mistakes.push((key, columns.clone(), ResourceErrorKind::Invalid, message));
        }
        match take(table, resource, &mut paths, name, columns) {
            Ok(path) => relations.push(relation(resource, name.clone(), path)),
            Err((kind, message)) => {
                mistakes.push((format!("relations.{name}"), columns.clone(), kind, message));
            }
        }
    }
    derive(table, resource, paths, &mut relations);
    relations
}

/// Where a foreign key leads, if its table is exposed and its columns are unique there.
fn follow(catalog: &Catalog, resources: &[Resource], key: &ForeignKey) -> Option<Path> {
    let (table, target_columns) = referred(catalog, key)?;
    Some(Path {
        columns: key.columns.clone(),
        target: shown_by(resources, table)?.id,
        target_columns,
    })
}

/// The table and the columns a foreign key refers to, if no two rows agree in them.
pub(super) fn referred<'a>(
    catalog: &'a Catalog,
    key: &ForeignKey,
) -> Option<(&'a Table, Vec<usize>)> {
    let table = catalog.referred(key)?;
    let target_columns = if key.references.is_empty() {
        table.primary_key.clone()
    } else {
        key.references
            .iter()
            .map(|name| table.column(name))
            .collect::<Option<Vec<_>>>()?
    };
    if target_columns.len() != key.columns.len() || !table.is_unique(&target_columns) {
        return None;
    }
    Some((table, target_columns))
}

/// The resource meant where a table is: several may show one, then the one that has its name, else the first.
pub(super) fn shown_by<'a>(resources: &'a [Resource], table: &Table) -> Option<&'a Resource> {
    let mut over_table = resources
        .iter()
        .filter(|resource| resource.table == table.id);
    let first = over_table.next()?;
    let same_name =
        over_table.find(|resource| resource.name == table.name && first.name != table.name);
    Some(same_name.unwrap_or(first))
}

fn take(
    table: &Table,
    resource: &Resource,
    paths: &mut Vec<Path>,
    name: &str,
    columns: &str,
) -> Result<Path, (ResourceErrorKind, String)> {
    use ResourceErrorKind::{Duplicate, Invalid, Unknown};
    let wanted = named_columns(table, columns).map_err(|message| (Unknown, message))?;
    let own = wanted.len() == 1 && table.columns[wanted[0]].name == name;
    if resource.field(name).is_some() && !own {
        return Err((
            Duplicate,
            format!("{name:?} is a field already: choose another name for the relation"),
        ));
    }
    let place = paths.iter().position(|path| {
        path.columns.len() == wanted.len()
            && wanted.iter().all(|column| path.columns.contains(column))
    });
    place.map(|place| paths.remove(place)).ok_or_else(|| {
        (Invalid, format!("{columns:?} is not a foreign key to the key of a table that is a resource too, or has a name already"))
    })
}

/// The columns in a list joined by commas, by index.
pub(super) fn named_columns(table: &Table, columns: &str) -> Result<Vec<usize>, String> {
    let index = |column: &str| {
        table.column(column).ok_or_else(|| {
            let near = nearest(
                column,
                table.columns.iter().map(|column| column.name.as_str()),
            );
            format!(
                "the table {:?} has no column {column:?}.{}",
                table.name,
                DidYouMean(near)
            )
        })
    };
    columns.split(',').map(str::trim).map(index).collect()
}

fn relation(resource: &Resource, name: String, path: Path) -> Relation {
    let alias = match path.columns.as_slice() {
        &[only] => resource
            .field_of_column(only)
            .map(|field| resource.fields[field].name.clone()),
        _ => None,
    };
    Relation {
        name,
        alias,
        columns: path.columns,
        target: path.target,
        target_columns: path.target_columns,
        cardinality: Cardinality::One,
        is_forward: true,
        junction: None,
    }
}

/// Names the remaining single-column keys after their columns. A column that is not exposed gives no
/// relation: its name would tell that it exists.
fn derive(table: &Table, resource: &Resource, paths: Vec<Path>, relations: &mut Vec<Relation>) {
    let mut candidates = Vec::new();
    for path in paths {
        let &[only] = path.columns.as_slice() else {
            continue;
        };
        if resource.field_of_column(only).is_none()
            || candidates.iter().any(|(_, other, _)| *other == only)
        {
            continue;
        }
        candidates.push((
            derived_name(&table.columns[only].name).to_owned(),
            only,
            path,
        ));
    }
    let names: Vec<String> = candidates.iter().map(|(name, _, _)| name.clone()).collect();
    for (name, only, path) in candidates {
        let column = &table.columns[only].name;
        let taken = names.iter().filter(|other| **other == name).count() > 1
            || relations.iter().any(|relation| relation.name == name)
            || resource.field(&name).is_some();
        relations.push(relation(
            resource,
            if taken { column.clone() } else { name },
            path,
        ));
    }
}

/// A foreign-key column's name without `_id`, `Id` or `ID` at its end.
fn derived_name(column: &str) -> &str {
    ["_id", "_ID", "Id", "ID"]
        .iter()
        .find_map(|suffix| column.strip_suffix(suffix))
        .map(|name| name.trim_end_matches('_'))
        .filter(|name| !name.is_empty())
        .unwrap_or(column)
}

#[cfg(test)]
mod tests {
    use super::derived_name;

    #[test]
    fn names_lose_their_suffix() {
        let check = |column: &str, expected: &str| assert_eq!(derived_name(column), expected);
        check("AlbumId", "Album");
        check("user_id", "user");
        check("USER_ID", "USER");
        check("ownerID", "owner");
        check("ReportsTo", "ReportsTo");
        check("paid", "paid");
        check("_id", "_id");
        check("Id", "Id");
    }
}
