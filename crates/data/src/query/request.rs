//! Whole query strings, as requests.

use super::error::{QueryError, QueryErrorCode};
use super::fields::parse_fields;
use super::filter::{Filter, MOST_FILTERS, parse_filter, parse_filter_name};
use super::paging::{
    Count, Position, SortKey, check_page, parse_count, parse_limit, parse_page, parse_sort,
};
use super::parameters::{Parameter, parse_parameters};
use super::path;
use super::selection::{Selection, Wanted};
use super::{Dialect, ExportQuery, ListQuery, MOST_SELECTED, OneQuery};
use crate::resource::{Resource, Resources};

/// Parameters every request takes.
const SELECTING: [&str; 2] = ["fields", "include"];
/// Parameters lists take besides filters and those.
const PAGING: [&str; 5] = ["page", "limit", "cursor", "sort", "count"];

/// Parses the query of a list, without its `?`.
///
/// # Errors
/// The first mistake found.
pub fn parse_list(
    resources: &Resources,
    resource: &Resource,
    dialect: Dialect,
    query: &str,
) -> Result<ListQuery, QueryError> {
    let mut list = List::default();
    for parameter in parse_parameters(query)? {
        if !list.selecting.take(&parameter)?
            && !list.paging.take(resources, resource, &parameter)?
            && !list.filters.take(resources, resource, &parameter)?
        {
            return Err(unknown(
                resources,
                resource,
                &parameter,
                SELECTING.iter().chain(&PAGING),
                true,
            ));
        }
    }
    let limit = list
        .paging
        .limit
        .map_or(resource.default_limit, |(_, limit)| limit);
    let (position, default_count) = match (list.paging.page, list.paging.cursor) {
        (Some((parameter, _)), Some(_)) => {
            let detail = "Send either a page number or a cursor, not both.";
            return Err(QueryError::new(
                QueryErrorCode::ConflictingParameters,
                &parameter,
                detail,
            ));
        }
        (_, Some((_, cursor))) => (Position::Cursor(cursor), Count::None),
        (Some((parameter, page)), None) => {
            check_page(&parameter, page, limit)?;
            (Position::Page(page), Count::Exact)
        }
        (None, None) => (Position::Page(1), Count::Exact),
    };
    Ok(ListQuery {
        resource: resource.id,
        selection: list.selecting.resolve(resources, resource, dialect)?,
        filters: list.filters.finish()?,
        sort: list
            .paging
            .sort
            .unwrap_or_else(|| resource.default_sort.clone()),
        position,
        limit,
        count: list.paging.count.unwrap_or(default_count),
        dialect,
        viewer: None,
    })
}

/// Parses the query of one row, without its `?`.
///
/// # Errors
/// The first mistake found.
pub fn parse_one(
    resources: &Resources,
    resource: &Resource,
    dialect: Dialect,
    query: &str,
) -> Result<OneQuery, QueryError> {
    let mut selecting = Selecting::default();
    for parameter in parse_parameters(query)? {
        if !selecting.take(&parameter)? {
            return Err(unknown(
                resources,
                resource,
                &parameter,
                SELECTING.iter(),
                false,
            ));
        }
    }
    let enveloped = !selecting.wanted.typed.is_empty();
    let selection = selecting.resolve(resources, resource, dialect)?;
    Ok(OneQuery {
        resource: resource.id,
        selection,
        enveloped,
        dialect,
        viewer: None,
    })
}

/// Parses the query of an export, without its `?`.
///
/// # Errors
/// The first mistake found.
pub fn parse_export(
    resources: &Resources,
    resource: &Resource,
    query: &str,
) -> Result<ExportQuery, QueryError> {
    let mut selecting = Selecting::default();
    let mut filters = Filters::default();
    for parameter in parse_parameters(query)? {
        if !selecting.take(&parameter)?
            && (PAGING.contains(&parameter.name.as_str())
                || !filters.take(resources, resource, &parameter)?)
        {
            return Err(unknown(
                resources,
                resource,
                &parameter,
                SELECTING.iter(),
                true,
            ));
        }
    }
    let selection = selecting.resolve(resources, resource, Dialect::Plain)?;
    Ok(ExportQuery {
        resource: resource.id,
        selection,
        filters: filters.finish()?,
        viewer: None,
    })
}

fn unknown<'a>(
    resources: &'a Resources,
    resource: &'a Resource,
    parameter: &Parameter,
    known: impl Iterator<Item = &'a &'static str>,
    filtered: bool,
) -> QueryError {
    // A filter is most often wrong in its field's name, not in its brackets.
    let inner = parameter
        .name
        .strip_prefix("filter[")
        .unwrap_or(&parameter.name);
    let name = if filtered {
        inner.split(['[', ']']).next().unwrap_or_default()
    } else {
        inner
    };
    let mut relations = Vec::new();
    if filtered {
        let (owner, rest) = path::follow(resources, resource, name, &mut relations);
        if !relations.is_empty() {
            let known = owner.fields.iter().map(|field| field.name.as_str());
            return QueryError::unknown(
                QueryErrorCode::UnknownParameter,
                &parameter.name,
                "field",
                rest,
                known,
            );
        }
    }
    let fields = resource
        .fields
        .iter()
        .filter(|_| filtered)
        .map(|field| field.name.as_str());
    let known = known.map(|name| -> &str { name }).chain(fields);
    QueryError::unknown(
        QueryErrorCode::UnknownParameter,
        &parameter.name,
        "parameter or field",
        name,
        known,
    )
}

#[derive(Default)]
struct List {
    selecting: Selecting,
    paging: Paging,
    filters: Filters,
}

/// `fields`, `fields[type]`, `include`.
#[derive(Default)]
struct Selecting {
    wanted: Wanted,
}

impl Selecting {
    fn take(&mut self, parameter: &Parameter) -> Result<bool, QueryError> {
        let (name, value) = (parameter.name.as_str(), parameter.value.as_str());
        let rename = |mut error: QueryError| {
            name.clone_into(&mut error.parameter);
            error
        };
        if name == "fields" {
            self.wanted.fields = Some(parse_fields(value)?);
        } else if name == "include" {
            // JSON:API: an empty list means no related rows.
            self.wanted.include = if value.is_empty() {
                Vec::new()
            } else {
                parse_fields(value).map_err(rename)?
            };
        } else if let Some(kind) = name
            .strip_prefix("fields[")
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let names: Vec<String> = value
                .split(',')
                .filter(|_| !value.is_empty())
                .map(str::to_owned)
                .collect();
            if names.len() > MOST_SELECTED {
                let detail = format!("The selection has more than {MOST_SELECTED} names.");
                return Err(QueryError::new(QueryErrorCode::TooMuch, name, detail));
            }
            self.wanted.typed.insert(kind.to_owned(), names);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn resolve(
        self,
        resources: &Resources,
        resource: &Resource,
        dialect: Dialect,
    ) -> Result<Selection, QueryError> {
        self.wanted.resolve(resources, resource, dialect)
    }
}

/// Paging parameters with the name they came under.
#[derive(Default)]
struct Paging {
    page: Option<(String, u64)>,
    limit: Option<(String, u32)>,
    cursor: Option<(String, String)>,
    sort: Option<Vec<SortKey>>,
    count: Option<Count>,
}

impl Paging {
    fn take(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        parameter: &Parameter,
    ) -> Result<bool, QueryError> {
        let (name, value) = (parameter.name.as_str(), parameter.value.as_str());
        match name {
            "page" | "page[number]" => set(&mut self.page, name, parse_page(name, value)?)?,
            "limit" | "page[size]" => {
                set(&mut self.limit, name, parse_limit(resource, name, value)?)?;
            }
            "cursor" | "page[cursor]" => set(&mut self.cursor, name, value.to_owned())?,
            "sort" => self.sort = Some(parse_sort(resources, resource, value)?),
            "count" => self.count = Some(parse_count(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Two spellings of one parameter are a repetition too.
fn set<T>(slot: &mut Option<(String, T)>, name: &str, value: T) -> Result<(), QueryError> {
    if let Some((earlier, _)) = slot {
        let detail = format!("{earlier} says the same already. Send one of them.");
        return Err(QueryError::new(
            QueryErrorCode::RepeatedParameter,
            name,
            detail,
        ));
    }
    *slot = Some((name.to_owned(), value));
    Ok(())
}

#[derive(Default)]
struct Filters {
    filters: Vec<Filter>,
}

impl Filters {
    fn take(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        parameter: &Parameter,
    ) -> Result<bool, QueryError> {
        let name = parameter.name.as_str();
        let Some(meaning) = parse_filter_name(resources, resource, name) else {
            return Ok(false);
        };
        let filter = parse_filter(resources, resource, name, meaning, &parameter.value)?;
        if self
            .filters
            .iter()
            .any(|other| other.canonical_order(&filter).is_eq())
        {
            let detail = "This comparison of this field is there already, spelled another way.";
            return Err(QueryError::new(
                QueryErrorCode::RepeatedParameter,
                name,
                detail,
            ));
        }
        self.filters.push(filter);
        Ok(true)
    }

    fn finish(mut self) -> Result<Vec<Filter>, QueryError> {
        if self.filters.len() > MOST_FILTERS {
            let detail = format!("There are more than {MOST_FILTERS} filters.");
            return Err(QueryError::new(QueryErrorCode::TooMuch, "filter", detail));
        }
        self.filters.sort_by(Filter::canonical_order);
        Ok(self.filters)
    }
}
