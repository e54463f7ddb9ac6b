//! Pages, limits, cursors, order and counting, as parameters.

use super::error::{QueryError, QueryErrorCode, cut};
use crate::resource::Resource;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The field, by index in the resource.
    pub field: usize,
    /// Largest first.
    pub descending: bool,
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

/// Parses `-created_at,id`.
pub(super) fn parse_sort(resource: &Resource, text: &str) -> Result<Vec<SortKey>, QueryError> {
    let error = |detail: String| QueryError::new(QueryErrorCode::Sort, "sort", detail);
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',') {
        let exact = resource.field(part).map(|field| (field, false));
        let reversed = || {
            part.strip_prefix('-')
                .and_then(|name| resource.field(name))
                .map(|field| (field, true))
        };
        let Some((field, descending)) = exact.or_else(reversed) else {
            if part.is_empty() || part == "-" {
                let detail = "A name is missing: write fields joined by commas, - in front for largest first.";
                return Err(error(detail.to_owned()));
            }
            let name = part.strip_prefix('-').unwrap_or(part);
            let known = resource.fields.iter().map(|field| field.name.as_str());
            return Err(QueryError::unknown(
                QueryErrorCode::UnknownField,
                "sort",
                "field",
                name,
                known,
            ));
        };
        if !resource.fields[field].comparable {
            return Err(error(format!(
                "The values of {:?} have no order.",
                resource.fields[field].name
            )));
        }
        if let Some(allowed) = &resource.sortable
            && !allowed.contains(&field)
        {
            let names: Vec<&str> = allowed
                .iter()
                .map(|field| resource.fields[*field].name.as_str())
                .collect();
            let these = match names.as_slice() {
                [] => "nothing".to_owned(),
                names => names.join(", "),
            };
            return Err(error(format!(
                "{:?} is not served in this order: only {these} can be sorted by.",
                resource.fields[field].name
            )));
        }
        if keys.iter().any(|key| key.field == field) {
            return Err(error(format!(
                "{:?} is there twice.",
                resource.fields[field].name
            )));
        }
        keys.push(SortKey { field, descending });
    }
    if keys.len() > MOST_SORT_KEYS {
        return Err(error(format!(
            "At most {MOST_SORT_KEYS} fields can be sorted by."
        )));
    }
    Ok(keys)
}
