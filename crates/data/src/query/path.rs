//! Names with dots: a field of a related row, as in `author.name`.

use super::fields::DEEPEST_SELECTION;
use crate::resource::{Resource, Resources};

/// The relations that lead to a field, and the field, each by index in its resource.
pub(super) type Found = (Vec<usize>, usize);

/// The resource these relations lead to.
pub(crate) fn end<'a>(
    resources: &'a Resources,
    resource: &'a Resource,
    path: &[usize],
) -> &'a Resource {
    path.iter().fold(resource, |resource, &relation| {
        resources.get(resource.relations[relation].target)
    })
}

/// A field as a request names it: `author.name`.
pub(crate) fn name(
    resources: &Resources,
    resource: &Resource,
    path: &[usize],
    field: usize,
) -> String {
    let mut name = String::new();
    let mut resource = resource;
    for &relation in path {
        let relation = &resource.relations[relation];
        name += &relation.name;
        name.push('.');
        resource = resources.get(relation.target);
    }
    name + &resource.fields[field].name
}

/// The field of this name. A field whose name has a dot in it comes before a field of a related row.
pub(super) fn find(resources: &Resources, resource: &Resource, name: &str) -> Option<Found> {
    if let Some(field) = resource.field(name) {
        return Some((Vec::new(), field));
    }
    let mut path = Vec::new();
    let (resource, rest) = follow(resources, resource, name, &mut path);
    (!path.is_empty())
        .then(|| resource.field(rest))
        .flatten()
        .map(|field| (path, field))
}

/// Follows the relations that a name begins with; answers where they lead and what is left of the name.
pub(super) fn follow<'a, 'n>(
    resources: &'a Resources,
    mut resource: &'a Resource,
    name: &'n str,
    path: &mut Vec<usize>,
) -> (&'a Resource, &'n str) {
    let mut rest = name;
    while path.len() + 1 < DEEPEST_SELECTION && resource.field(rest).is_none() {
        let next = rest.match_indices('.').find_map(|(dot, _)| {
            let relation = resource.relation(&rest[..dot])?;
            Some((relation, &rest[dot + 1..]))
        });
        let Some((relation, behind)) = next else {
            break;
        };
        path.push(relation);
        resource = resources.get(resource.relations[relation].target);
        rest = behind;
    }
    (resource, rest)
}
