//! Exposes a whole database without a configuration.

use super::reserved::is_reserved_path;
use super::secret::looks_secret;
use super::spec::ResourceSpec;
use super::{Resources, build};
use crate::catalog::{Catalog, Table};

pub(super) fn discover(catalog: &Catalog) -> Resources {
    let shown = |table: &&Table| {
        table
            .columns
            .iter()
            .any(|column| !looks_secret(&column.name))
    };
    let tables: Vec<&Table> = catalog.tables().iter().filter(shown).collect();
    let mut taken: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
    let specs = tables.iter().map(|table| {
        let mut spec = ResourceSpec::new(&table.name);
        spec.path = path_for(&table.name, &mut taken);
        spec
    });
    build::build(catalog, specs.collect())
        .expect("names from the catalog exist and paths were made free")
}

/// A free path where the table's own name cannot be one; `None` where it can.
fn path_for(table: &str, taken: &mut Vec<String>) -> Option<String> {
    let segment: String = table
        .chars()
        .map(|c| if c == '/' || c.is_control() { '_' } else { c })
        .collect();
    if segment == table && !is_reserved_path(table) && !matches!(table, "." | ".." | "") {
        return None;
    }
    let mut path = if segment == table {
        format!("{table}_table")
    } else {
        segment
    };
    while taken.contains(&path) || is_reserved_path(&path) {
        path.push('_');
    }
    taken.push(path.clone());
    Some(path)
}
