//! Filters: which parameter means which test on which field.

use std::cmp::Ordering;

use super::error::{QueryError, QueryErrorCode, cut};
use super::path;
use super::value::typed;
use crate::catalog::ColumnKind;
use crate::resource::{Field, Resource, Resources};
use crate::statement::Value;

/// The most values after `[in]=`.
pub const MOST_IN_LIST: usize = 100;
/// The most filters in one request.
pub const MOST_FILTERS: usize = 20;
/// The longest pattern after `[like]=`, in bytes: matching takes longer the more wildcards there are.
pub const LONGEST_PATTERN: usize = 256;

/// A comparison, as in `created_at[gte]=2026-01-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `field=value`
    Equal,
    /// `[ne]`. As in SQL, `NULL` is neither equal nor unequal to a value.
    NotEqual,
    /// `[gt]`
    Greater,
    /// `[gte]`
    GreaterOrEqual,
    /// `[lt]`
    Less,
    /// `[lte]`
    LessOrEqual,
    /// `[in]`: one of several values, joined by commas.
    In,
    /// `[like]`: `%` stands for any text, `_` for one character, `\` takes the next one literally.
    /// ASCII letters match in either case.
    Like,
    /// `[null]`: `true` for rows without a value, `false` for rows with one.
    Null,
}

impl Operator {
    /// The names between brackets, in the order of the documentation.
    pub const NAMES: [(&'static str, Operator); 9] = [
        ("eq", Operator::Equal),
        ("ne", Operator::NotEqual),
        ("gt", Operator::Greater),
        ("gte", Operator::GreaterOrEqual),
        ("lt", Operator::Less),
        ("lte", Operator::LessOrEqual),
        ("in", Operator::In),
        ("like", Operator::Like),
        ("null", Operator::Null),
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, operator)| *operator)
    }

    /// Whether a row that passes has one of a few known values: an index finds it at once.
    pub fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::In)
    }

    /// Whether rows that pass lie on one side of a value.
    pub fn is_range(self) -> bool {
        matches!(
            self,
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual
        )
    }

    /// Whether an index on the field narrows the rows down.
    pub fn uses_index(self) -> bool {
        !matches!(self, Self::NotEqual | Self::Like | Self::Null)
    }
}

/// One test a row must pass.
///
/// A test of a related row is passed when there is such a row. All tests that go by the same relation from the
/// same row are about one related row.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The relations that lead to the field, each by index in its resource; empty for a field of the row itself.
    pub path: Vec<usize>,
    /// The field, by index in the resource it belongs to.
    pub field: usize,
    /// The comparison.
    pub operator: Operator,
    /// What it is compared with: one value, for `In` at least one. For `Null` 1 or 0: whether it must be.
    pub values: Vec<Value>,
}

impl Filter {
    /// An order in which equal sets of filters are equal lists.
    pub(super) fn canonical_order(&self, other: &Self) -> Ordering {
        (&self.path, self.field, self.operator).cmp(&(&other.path, other.field, other.operator))
    }
}

/// What a parameter's name says of a filter: relations, field, comparison where it is known.
pub type FilterName = (Vec<usize>, usize, Option<Operator>);

/// Which field and comparison a parameter's name means; `None` when it is no filter on this resource.
///
/// `name` and `name[op]`, or `filter[name]` and `filter[name][op]`, which also reach fields that are
/// named like another parameter. A field of a related row is named `relation.name`.
pub fn parse_filter_name(
    resources: &Resources,
    resource: &Resource,
    parameter: &str,
) -> Option<FilterName> {
    let inner = parameter
        .strip_prefix("filter[")
        .and_then(|rest| rest.strip_suffix(']'));
    let (whole, split) = match inner {
        Some(inner) => (inner, inner.rsplit_once("][")),
        None => (
            parameter,
            parameter
                .strip_suffix(']')
                .and_then(|rest| rest.rsplit_once('[')),
        ),
    };
    if let Some((path, field)) = path::find(resources, resource, whole) {
        return Some((path, field, Some(Operator::Equal)));
    }
    let (name, operator) = split?;
    let (path, field) = path::find(resources, resource, name)?;
    Some((path, field, Operator::from_name(operator)))
}

/// Parses one filter whose parameter [`parse_filter_name`] has understood.
pub(super) fn parse_filter(
    resources: &Resources,
    resource: &Resource,
    parameter: &str,
    (path, field, operator): FilterName,
    text: &str,
) -> Result<Filter, QueryError> {
    let error = |detail: String| QueryError::new(QueryErrorCode::Filter, parameter, detail);
    let Some(operator) = operator else {
        let names: Vec<&str> = Operator::NAMES.iter().map(|(name, _)| *name).collect();
        return Err(error(format!(
            "There is no such comparison. Use one of {}.",
            names.join(", ")
        )));
    };
    let known = &path::end(resources, resource, &path).fields[field];
    let values = match operator {
        Operator::Null => match text {
            "true" => vec![Value::Integer(1)],
            "false" => vec![Value::Integer(0)],
            _ => return Err(error("Expected true or false.".to_owned())),
        },
        Operator::Like => vec![pattern(known, text).map_err(error)?],
        Operator::In => {
            let parts: Vec<&str> = text.split(',').collect();
            if text.is_empty() || parts.len() > MOST_IN_LIST {
                return Err(error(format!(
                    "Expected 1 to {MOST_IN_LIST} values joined by commas."
                )));
            }
            parts
                .iter()
                .map(|part| value(known, part))
                .collect::<Result<_, _>>()
                .map_err(error)?
        }
        _ => vec![value(known, text).map_err(error)?],
    };
    Ok(Filter {
        path,
        field,
        operator,
        values,
    })
}

fn value(field: &Field, text: &str) -> Result<Value, String> {
    let name = &field.name;
    if !field.comparable {
        return Err(format!(
            "The values of the field {name:?} cannot be compared: use [null]."
        ));
    }
    if let Some(labels) = &field.labels
        && !labels.iter().any(|label| label == text)
    {
        return Err(format!(
            "The field {name:?} is compared with one of {}, not with {:?}.",
            labels.join(", "),
            cut(text)
        ));
    }
    typed(field.kind, text).ok_or_else(|| match field.kind {
        ColumnKind::Blob => {
            format!("The field {name:?} holds bytes and can only be compared with [null].")
        }
        ColumnKind::Composite => {
            format!("The field {name:?} holds several values and can only be compared with [null].")
        }
        kind => format!(
            "The field {:?} is compared with {}, not with {:?}.",
            field.name,
            kind.expectation(),
            cut(text)
        ),
    })
}

fn pattern(field: &Field, text: &str) -> Result<Value, String> {
    use ColumnKind::{Any, Date, DateTime, Enum, Json, Other, Text};
    if !matches!(
        field.kind,
        Text | Date | DateTime | Json | Any | Enum | Other
    ) {
        return Err(format!(
            "The field {:?} is not text, [like] does not work on it.",
            field.name
        ));
    }
    if text.len() > LONGEST_PATTERN {
        return Err(format!(
            "The pattern is longer than {LONGEST_PATTERN} bytes."
        ));
    }
    // SQLite refuses nothing here, but a lone escape at the end matches nothing and is surely a slip.
    let escapes = text.chars().rev().take_while(|c| *c == '\\').count();
    if escapes % 2 == 1 {
        return Err(
            "The pattern ends in a \\ that takes nothing literally; write \\\\ for one.".to_owned(),
        );
    }
    Ok(Value::Text(text.to_owned()))
}
