//! Checks what a configuration asks for against the catalog.

use std::sync::Arc;

use super::error::{DidYouMean, ResourceError, ResourceErrorKind, nearest};
use super::owner::{self, Owners};
use super::reserved::{RESERVED_PATHS, is_reserved_path};
use super::secret::looks_secret;
use super::spec::{ResourceSpec, WriteVerb};
use super::{Field, HiddenColumn, Resource, ResourceId, Resources, backward, relation, sort};
use crate::catalog::{Catalog, Table};
use crate::encode::BigIntegers;

/// Collects the mistakes of one resource.
pub(super) struct Mistakes<'a> {
    resource: &'a str,
    errors: &'a mut Vec<ResourceError>,
}

impl Mistakes<'_> {
    pub(super) fn add(&mut self, key: &str, value: &str, kind: ResourceErrorKind, message: String) {
        self.errors.push(ResourceError {
            resource: self.resource.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            kind,
            message,
        });
    }

    /// The column of this name, or a mistake.
    fn column(&mut self, table: &Table, key: &str, name: &str) -> Option<usize> {
        let column = table.columns.iter().position(|column| column.name == name);
        if column.is_none() {
            let near = nearest(
                name,
                table.columns.iter().map(|column| column.name.as_str()),
            );
            let message = format!(
                "the table {:?} has no column {name:?}.{}",
                table.name,
                DidYouMean(near)
            );
            self.add(key, name, ResourceErrorKind::Unknown, message);
        }
        column
    }
}

pub(super) fn build(
    catalog: &Catalog,
    specs: Vec<ResourceSpec>,
) -> Result<Resources, Vec<ResourceError>> {
    let mut errors = Vec::new();
    let mut resources: Vec<Resource> = Vec::new();
    let mut built_from = Vec::new();
    let mut hidden = Vec::new();
    for spec in specs {
        let mut mistakes = Mistakes {
            resource: &spec.name,
            errors: &mut errors,
        };
        check_names(&spec, &resources, &mut mistakes);
        if let Some(mut resource) = resolve(catalog, &spec, &mut mistakes, &mut hidden) {
            resource.id = ResourceId::from_index(resources.len());
            resources.push(resource);
            built_from.push(spec);
        }
    }
    relate(catalog, &mut resources, &built_from, &mut errors);
    if errors.is_empty() {
        Ok(Resources {
            catalog: Arc::new(catalog.clone()),
            all: resources,
            hidden,
            big_integers: BigIntegers::default(),
            base_path: "/api".into(),
        })
    } else {
        Err(errors)
    }
}

/// Gives the resources their relations: first those along their own foreign keys, after which the others are named.
fn relate(
    catalog: &Catalog,
    resources: &mut [Resource],
    specs: &[ResourceSpec],
    errors: &mut Vec<ResourceError>,
) {
    for resolve in [relation::resolve, backward::resolve] {
        let mut found = Vec::new();
        for (resource, spec) in resources.iter().zip(specs) {
            let mut wrong = Vec::new();
            found.push(resolve(
                catalog,
                resources,
                resource,
                &spec.relations,
                &mut wrong,
            ));
            let mut mistakes = Mistakes {
                resource: &spec.name,
                errors,
            };
            for (key, value, kind, message) in wrong {
                mistakes.add(&key, &value, kind, message);
            }
        }
        for (resource, relations) in resources.iter_mut().zip(found) {
            resource.relations.extend(relations);
        }
    }
}

fn check_names(spec: &ResourceSpec, earlier: &[Resource], mistakes: &mut Mistakes<'_>) {
    let (key, path) = match &spec.path {
        Some(path) => ("path", path),
        None => ("name", &spec.name),
    };
    if is_reserved_path(path) {
        let message = format!(
            "{path:?} is one of the names other routes have ({}): set path = \"{path}_table\", say",
            RESERVED_PATHS.join(", ")
        );
        mistakes.add(key, path, ResourceErrorKind::Reserved, message);
    }
    if path.is_empty()
        || matches!(path.as_str(), "." | "..")
        || path.chars().any(|c| c == '/' || c.is_control())
    {
        let message = "the path must be one segment of a URL: not empty, without \"/\"".to_owned();
        mistakes.add(key, path, ResourceErrorKind::Invalid, message);
    }
    if earlier.iter().any(|resource| resource.path == *path) {
        let message =
            format!("another resource is served under {path:?}: set path = to another name");
        mistakes.add(key, path, ResourceErrorKind::Duplicate, message);
    }
    if earlier.iter().any(|resource| resource.name == spec.name) {
        let message = format!("there are two resources named {:?}", spec.name);
        mistakes.add("name", &spec.name, ResourceErrorKind::Duplicate, message);
    }
    let limits = format!("{}/{}", spec.default_limit, spec.max_limit);
    if spec.default_limit == 0 || spec.max_limit == 0 || spec.default_limit > spec.max_limit {
        let message =
            "the default limit must be at least 1 and at most the maximum limit".to_owned();
        mistakes.add("limit", &limits, ResourceErrorKind::Invalid, message);
    }
    if spec.max_limit > MOST_ROWS_A_PAGE {
        let message =
            format!("pages have at most {MOST_ROWS_A_PAGE} rows; use the export for more");
        mistakes.add("max_limit", &limits, ResourceErrorKind::Invalid, message);
    }
}

/// Pages are held in memory, so their size is bounded whatever the configuration says.
const MOST_ROWS_A_PAGE: u32 = 10_000;

fn resolve(
    catalog: &Catalog,
    spec: &ResourceSpec,
    mistakes: &mut Mistakes<'_>,
    hidden: &mut Vec<HiddenColumn>,
) -> Option<Resource> {
    let name = spec.table.as_ref().unwrap_or(&spec.name);
    let Some(table) = catalog.find(name) else {
        let near = nearest(
            name,
            catalog.tables().iter().map(|table| table.name.as_str()),
        );
        let skipped = catalog
            .skipped()
            .iter()
            .find(|skipped| skipped.name == *name);
        let message = match skipped {
            Some(skipped) => format!("{name:?} cannot be served: {}", skipped.reason),
            None => format!("the database has no table {name:?}.{}", DidYouMean(near)),
        };
        mistakes.add("table", name, ResourceErrorKind::Unknown, message);
        return None;
    };
    let fields = expose(table, spec, mistakes, hidden);
    let default_fields = default_fields(table, spec, &fields, mistakes);
    let sortable = sort::allowed(spec, &fields, mistakes);
    let default_sort = sort::usual(spec, &fields, mistakes);
    let key = exposed_key(table, &fields);
    let write = check_write(table, spec, &key, mistakes);
    let owners =
        owner::resolve(table, &spec.owners).unwrap_or_else(|(verb, name, kind, message)| {
            mistakes.add(&format!("access.{}", verb.as_str()), &name, kind, message);
            Owners::default()
        });
    Some(Resource {
        id: ResourceId::from_index(0),
        name: spec.name.clone(),
        path: spec.path.clone().unwrap_or_else(|| spec.name.clone()),
        type_name: spec.type_name.clone().unwrap_or_else(|| table.name.clone()),
        table: table.id,
        fields,
        relations: Vec::new(),
        default_fields,
        key,
        write,
        owners,
        export: spec.export,
        default_limit: spec.default_limit,
        max_limit: spec.max_limit,
        sortable,
        default_sort,
        allow_unindexed: spec.allow_unindexed,
    })
}

/// The exposed fields, in the table's order.
fn expose(
    table: &Table,
    spec: &ResourceSpec,
    mistakes: &mut Mistakes<'_>,
    hidden: &mut Vec<HiddenColumn>,
) -> Vec<Field> {
    let hide: Vec<usize> = spec
        .hidden
        .iter()
        .filter_map(|name| mistakes.column(table, "hidden", name))
        .collect();
    let allowed: Option<Vec<usize>> = spec.fields.as_ref().map(|names| {
        names
            .iter()
            .filter_map(|name| mistakes.column(table, "fields", name))
            .collect()
    });
    if let Some(both) = allowed
        .iter()
        .flatten()
        .find(|column| hide.contains(column))
    {
        let name = &table.columns[*both].name;
        let message = format!("{name:?} is both hidden and in fields: remove it from one of them");
        mistakes.add("hidden", name, ResourceErrorKind::Invalid, message);
    }
    let mut fields = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let exposed = match &allowed {
            Some(allowed) => allowed.contains(&index),
            None if hide.contains(&index) => false,
            None if looks_secret(&column.name) => {
                hidden.push(HiddenColumn {
                    resource: spec.name.clone(),
                    column: column.name.clone(),
                });
                false
            }
            None => true,
        };
        if exposed {
            let (kind, nullable) = (column.kind, column.nullable);
            fields.push(Field {
                name: column.name.clone(),
                column: index,
                kind,
                nullable,
                comparable: column.is_comparable(),
                labels: column.labels.clone(),
            });
        }
    }
    if fields.is_empty() && allowed.as_ref().is_none_or(Vec::is_empty) {
        let message = format!(
            "no column of {:?} is left to show: name some in fields",
            table.name
        );
        mistakes.add("fields", "", ResourceErrorKind::Invalid, message);
    }
    fields
}

fn default_fields(
    table: &Table,
    spec: &ResourceSpec,
    fields: &[Field],
    mistakes: &mut Mistakes<'_>,
) -> Vec<usize> {
    let Some(names) = &spec.default_fields else {
        return (0..fields.len()).collect();
    };
    let mut chosen = Vec::new();
    for name in names {
        match fields.iter().position(|field| field.name == *name) {
            Some(field) if chosen.contains(&field) => {
                let message = format!("{name:?} is there twice");
                mistakes.add(
                    "default_fields",
                    name,
                    ResourceErrorKind::Duplicate,
                    message,
                );
            }
            Some(field) => chosen.push(field),
            None if table.columns.iter().any(|column| column.name == *name) => {
                let message = format!("{name:?} is not exposed: take it out, or name it in fields");
                mistakes.add("default_fields", name, ResourceErrorKind::Invalid, message);
            }
            None => {
                mistakes.column(table, "default_fields", name);
            }
        }
    }
    if names.is_empty() {
        let message = "at least one field is needed; leave the key out for all".to_owned();
        mistakes.add("default_fields", "", ResourceErrorKind::Invalid, message);
    }
    chosen.sort_unstable();
    chosen
}

/// The primary key, if all of it is exposed.
fn exposed_key(table: &Table, fields: &[Field]) -> Vec<usize> {
    let exposed = |column: &usize| fields.iter().any(|field| field.column == *column);
    if table.primary_key.iter().all(exposed) {
        table.primary_key.clone()
    } else {
        Vec::new()
    }
}

fn check_write(
    table: &Table,
    spec: &ResourceSpec,
    key: &[usize],
    mistakes: &mut Mistakes<'_>,
) -> Vec<WriteVerb> {
    let mut write = spec.write.clone();
    write.sort_unstable();
    write.dedup();
    if !write.is_empty() && table.is_view {
        let message = format!("{:?} is a view, which is read-only", table.name);
        mistakes.add("write", "", ResourceErrorKind::Invalid, message);
    } else if write.iter().any(|verb| *verb != WriteVerb::Create) && key.is_empty() {
        let message = format!(
            "{:?} has no primary key that is exposed, so single rows have no address: only \"create\" is possible",
            table.name
        );
        mistakes.add("write", "", ResourceErrorKind::Invalid, message);
    }
    write
}
