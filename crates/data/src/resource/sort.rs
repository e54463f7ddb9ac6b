//! What may be sorted by, and the order of a list whose request names none.

use super::Field;
use super::build::Mistakes;
use super::error::{DidYouMean, ResourceErrorKind, nearest};
use super::spec::ResourceSpec;
use crate::query::SortKey;

/// The fields of `sort`.
pub(super) fn allowed(
    spec: &ResourceSpec,
    fields: &[Field],
    mistakes: &mut Mistakes<'_>,
) -> Option<Vec<usize>> {
    let names = spec.sort.as_ref()?;
    let found = names
        .iter()
        .filter_map(|name| field("sort", name, fields, mistakes));
    Some(found.collect())
}

/// The keys of `default_sort`.
pub(super) fn usual(
    spec: &ResourceSpec,
    fields: &[Field],
    mistakes: &mut Mistakes<'_>,
) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> = Vec::new();
    for text in &spec.default_sort {
        let is_whole = fields.iter().any(|field| field.name == *text);
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) if !is_whole => (name, true),
            _ => (text.as_str(), false),
        };
        let Some(field) = field("default_sort", name, fields, mistakes) else {
            continue;
        };
        if keys.iter().any(|key| key.field == field) {
            let message = format!("{name:?} is there twice");
            mistakes.add("default_sort", text, ResourceErrorKind::Duplicate, message);
        }
        keys.push(SortKey::own(field, descending));
    }
    keys
}

/// The field of this name, if it is exposed and has an order.
fn field(key: &str, name: &str, fields: &[Field], mistakes: &mut Mistakes<'_>) -> Option<usize> {
    let found = fields.iter().position(|field| field.name == name);
    match found {
        Some(field) if fields[field].comparable => Some(field),
        Some(_) => {
            let message = format!("the values of {name:?} have no order");
            mistakes.add(key, name, ResourceErrorKind::Invalid, message);
            None
        }
        None => {
            let near = nearest(name, fields.iter().map(|field| field.name.as_str()));
            let message = format!("there is no exposed field {name:?}.{}", DidYouMean(near));
            mistakes.add(key, name, ResourceErrorKind::Unknown, message);
            None
        }
    }
}
