//! Pages, limits, cursors, order and counting, as parameters.

use super::error::{QueryError, QueryErrorCode, cut};
use super::path;
use crate::resource::{Resource, Resources};

/// The most keys in `sort=`.
pub const MOST_SORT_KEYS: usize = 5;
/// The most rows that may be skipped: beyond it numbers are no longer exact in JSON readers.
const FURTHEST_OFFSET: u64 = 1 << 53;

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the start of the page of this number, from 1.
    Page(u64),
    /// Where a cursor says, not yet verified.
    Cursor(String),
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The relations to one row that lead to the field, each by index in its resource; empty for a field of the
    /// row itself.
    pub path: Vec<usize>,
    /// The field, by index in the resource it belongs to.
    pub field: usize,
    /// Largest first.
    pub descending: bool,
}

impl SortKey {
    /// A field of the row itself.
    pub fn own(field: usize, descending: bool) -> Self {
        Self {
            path: Vec::new(),
            field,
            descending,
        }
    }
}

/// Whether and how the rows of all pages are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// Exactly. The default with page numbers.
    Exact,
    /// As the catalog estimated when it was read: whole tables only, filtered lists are counted exactly.
    Estimated,
    /// Not at all. The default with cursors.
    None,
}

pub(super) fn parse_page(parameter: &str, text: &str) -> Result<u64, QueryError> {
    positive(text).ok_or_else(|| {
        let detail = format!(
            "Expected a page number: a whole number from 1 on, not {:?}.",
            cut(text)
        );
        QueryError::new(QueryErrorCode::Page, parameter, detail)
    })
}

/// Refuses a page that starts further than can be counted.
pub(super) fn check_page(parameter: &str, page: u64, limit: u32) -> Result<(), QueryError> {
    match (page - 1).checked_mul(u64::from(limit)) {
        Some(offset) if offset <= FURTHEST_OFFSET => Ok(()),
        _ => {
            let detail = "The page number is too large. Use the cursor in pagination.next to read far into a list.";
            Err(QueryError::new(QueryErrorCode::Page, parameter, detail))
        }
    }
}

pub(super) fn parse_limit(
    resource: &Resource,
    parameter: &str,
    text: &str,
) -> Result<u32, QueryError> {
    let most = resource.max_limit;
    let limit = positive(text)
        .and_then(|limit| u32::try_from(limit).ok())
        .filter(|limit| *limit <= most);
    limit.ok_or_else(|| {
        let detail = format!(
            "Expected a whole number from 1 to {most}, not {:?}.",
            cut(text)
        );
        QueryError::new(QueryErrorCode::Limit, parameter, detail)
    })
}

fn positive(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        text.parse().ok().filter(|number| *number > 0)
    } else {
        None
    }
}

pub(super) fn parse_count(text: &str) -> Result<Count, QueryError> {
    match text {
        "exact" => Ok(Count::Exact),
        "estimated" => Ok(Count::Estimated),
        "none" => Ok(Count::None),
        _ => {
            let detail = format!("Expected exact, estimated or none, not {:?}.", cut(text));
            Err(QueryError::new(QueryErrorCode::Count, "count", detail))
        }
    }
}

/// Parses `-created_at,author.name,id`.
pub(super) fn parse_sort(
    resources: &Resources,
    resource: &Resource,
    text: &str,
) -> Result<Vec<SortKey>, QueryError> {
    let error = |detail: String| QueryError::new(QueryErrorCode::Sort, "sort", detail);
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',') {
        if part.is_empty() || part == "-" {
            let detail =
                "A name is missing: write fields joined by commas, - in front for largest first.";
            return Err(error(detail.to_owned()));
        }
        let key = sort_key(resources, resource, part)?;
        let owner = path::end(resources, resource, &key.path);
        let name = || path::name(resources, resource, &key.path, key.field);
        if !owner.fields[key.field].comparable {
            return Err(error(format!("The values of {:?} have no order.", name())));
        }
        if let Some(refused) = not_allowed(resource, owner, &key) {
            return Err(error(format!("{:?} {refused}", name())));
        }
        if keys
            .iter()
            .any(|known| known.field == key.field && known.path == key.path)
        {
            return Err(error(format!("{:?} is there twice.", name())));
        }
        keys.push(key);
    }
    if keys.len() > MOST_SORT_KEYS {
        return Err(error(format!(
            "At most {MOST_SORT_KEYS} fields can be sorted by."
        )));
    }
    Ok(keys)
}

/// Why a key is not served, where the resource says what may be sorted by: nothing of related rows then.
fn not_allowed(resource: &Resource, owner: &Resource, key: &SortKey) -> Option<String> {
    let own = key.path.is_empty();
    let is_allowed = |allowed: &Vec<usize>| own && allowed.contains(&key.field);
    let allowed = match (&resource.sortable, &owner.sortable) {
        (Some(allowed), _) if !is_allowed(allowed) => allowed,
        (None, Some(of_owner)) if !own && !of_owner.contains(&key.field) => {
            return Some("is not served in this order.".to_owned());
        }
        _ => return None,
    };
    let names: Vec<&str> = allowed
        .iter()
        .map(|field| resource.fields[*field].name.as_str())
        .collect();
    let these = match names.as_slice() {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    Some(format!(
        "is not served in this order: only {these} can be sorted by."
    ))
}

/// One key: a field, or `-` and a field.
fn sort_key(resources: &Resources, resource: &Resource, part: &str) -> Result<SortKey, QueryError> {
    let exact = path::find(resources, resource, part).map(|found| (found, false));
    let reversed = || {
        part.strip_prefix('-')
            .and_then(|name| path::find(resources, resource, name))
            .map(|found| (found, true))
    };
    let name = part.strip_prefix('-').unwrap_or(part);
    let Some(((path, field), descending)) = exact.or_else(reversed) else {
        let (owner, rest) = path::follow(resources, resource, name, &mut Vec::new());
        let known = owner.fields.iter().map(|field| field.name.as_str());
        return Err(QueryError::unknown(
            QueryErrorCode::UnknownField,
            "sort",
            "field",
            rest,
            known,
        ));
    };
    let mut owner = resource;
    for &relation in &path {
        let relation = &owner.relations[relation];
        if relation.is_many() {
            let detail = format!(
                "{:?} leads to several rows, which have no single place in an order: sort by fields of the row \
                 itself, or of relations to one row.",
                relation.name
            );
            return Err(QueryError::new(QueryErrorCode::Sort, "sort", detail));
        }
        owner = resources.get(relation.target);
    }
    Ok(SortKey {
        path,
        field,
        descending,
    })
}
