//! A request's parameters, matched with a schema.

use std::collections::BTreeMap;

use http::StatusCode;

use super::grammar::{DEEPEST_SELECTION, FieldNode, InvalidFields, MOST_SELECTED, parse_fields};
use super::nearest::nearest;
use super::schema::{Beneath, Field, Schema};
use super::selection::Selection;
use crate::parameters::{cut, parameters};
use crate::problem::{Problem, code};

/// What a query asks for, and whether it asked by type.
pub(super) fn resolve(schema: &'static Schema, query: &str) -> Result<(Selection, bool), Problem> {
    let wanted = Wanted::read(query)?;
    if let (Some(_), Some(name)) = (&wanted.fields, wanted.typed.keys().next()) {
        return Err(problem(
            code::CONFLICTING_PARAMETERS,
            &typed(name),
            "Use either fields= or fields[type]=, not both.",
        ));
    }
    let types = schema.reachable();
    for name in wanted.typed.keys() {
        let mut names = types.iter().map(|schema| schema.type_name());
        if !names.any(|known| known == name) {
            let known = types.iter().map(|schema| schema.type_name());
            return Err(unknown(&typed(name), "type", name, known));
        }
    }
    let resolver = Resolver { wanted: &wanted };
    let mut selection = Selection::default();
    match &wanted.fields {
        Some(nodes) => resolver.add_nodes(schema, nodes, &mut selection)?,
        None => resolver.add_own(schema, &mut selection, &mut vec![schema.type_name()])?,
    }
    Ok((selection, !wanted.typed.is_empty()))
}

/// `fields` and `fields[type]`, read but not yet matched.
#[derive(Debug, Default)]
struct Wanted {
    fields: Option<Vec<FieldNode>>,
    typed: BTreeMap<String, Vec<String>>,
}

impl Wanted {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for parameter in parameters(query, |name| name == "fields" || type_of(name).is_some())? {
            let (name, value) = (&*parameter.name, &*parameter.value);
            match type_of(name) {
                None => wanted.fields = Some(parse_fields(value).map_err(invalid)?),
                Some(kind) => {
                    wanted.typed.insert(kind.to_owned(), names(name, value)?);
                }
            }
        }
        Ok(wanted)
    }
}

/// The type in `fields[type]`.
fn type_of(name: &str) -> Option<&str> {
    name.strip_prefix("fields[")?.strip_suffix(']')
}

fn typed(kind: &str) -> String {
    format!("fields[{kind}]")
}

/// The names of a typed fieldset. JSON:API: an empty one is no field.
fn names(parameter: &str, value: &str) -> Result<Vec<String>, Problem> {
    let names: Vec<String> = value
        .split(',')
        .filter(|_| !value.is_empty())
        .map(str::to_owned)
        .collect();
    if names.len() > MOST_SELECTED {
        let detail = InvalidFields::TooMany.to_string();
        return Err(problem(code::QUERY_TOO_LARGE, parameter, detail));
    }
    Ok(names)
}

struct Resolver<'a> {
    wanted: &'a Wanted,
}

impl Resolver<'_> {
    fn add_nodes(
        &self,
        schema: &'static Schema,
        nodes: &[FieldNode],
        selection: &mut Selection,
    ) -> Result<(), Problem> {
        for node in nodes {
            let Some(field) = schema.field(&node.name) else {
                return Err(unknown_field("fields", schema, &node.name));
            };
            match (field.beneath, node.children.as_slice()) {
                (Beneath::Nothing | Beneath::Anything, []) => selection.add_whole(field.name),
                (Beneath::Nothing, _) => {
                    let detail = format!(
                        "{:?} is a plain field, nothing can be selected beneath it.",
                        field.name
                    );
                    return Err(problem(code::UNKNOWN_FIELD, "fields", detail));
                }
                (Beneath::Object(target), []) => {
                    let target = target();
                    if let Some(beneath) = selection.beneath(field.name) {
                        let mut path = vec![schema.type_name(), target.type_name()];
                        self.add_own(target, beneath, &mut path)?;
                    }
                }
                (Beneath::Object(target), children) => {
                    if let Some(beneath) = selection.beneath(field.name) {
                        self.add_nodes(target(), children, beneath)?;
                    }
                }
                (Beneath::Anything, children) => add_any(children, field.name, selection),
            }
        }
        Ok(())
    }

    /// Adds what a type shows by itself: the fields asked for it, else its default ones.
    fn add_own(
        &self,
        schema: &'static Schema,
        selection: &mut Selection,
        path: &mut Vec<&'static str>,
    ) -> Result<(), Problem> {
        let Some(names) = self.wanted.typed.get(schema.type_name()) else {
            for field in schema.defaults() {
                self.add_field(field, selection, path)?;
            }
            return Ok(());
        };
        for name in names {
            match schema.field(name) {
                Some(field) => self.add_field(field, selection, path)?,
                // JSON:API: the id is no field and always there; naming it is no mistake.
                None if name == "id" => {}
                None => {
                    let parameter = typed(schema.type_name());
                    return Err(unknown_field(&parameter, schema, name));
                }
            }
        }
        Ok(())
    }

    /// A type is not entered again beneath itself, or this would never end.
    fn add_field(
        &self,
        field: &Field,
        selection: &mut Selection,
        path: &mut Vec<&'static str>,
    ) -> Result<(), Problem> {
        let Beneath::Object(target) = field.beneath else {
            selection.add_whole(field.name);
            return Ok(());
        };
        let target = target();
        if path.contains(&target.type_name()) || path.len() >= DEEPEST_SELECTION {
            return Ok(());
        }
        path.push(target.type_name());
        if let Some(beneath) = selection.beneath(field.name) {
            self.add_own(target, beneath, path)?;
        }
        path.pop();
        Ok(())
    }
}

/// Keys of a map: there is nothing to match them with.
fn add_any(nodes: &[FieldNode], name: &str, selection: &mut Selection) {
    let Some(beneath) = selection.beneath(name) else {
        return;
    };
    for node in nodes {
        match node.children.as_slice() {
            [] => beneath.add_whole(&node.name),
            children => add_any(children, &node.name, beneath),
        }
    }
}

fn invalid(error: InvalidFields) -> Problem {
    let code = if error.is_too_much() {
        code::QUERY_TOO_LARGE
    } else {
        code::INVALID_FIELDS
    };
    problem(code, "fields", error.to_string())
}

fn unknown_field(parameter: &str, schema: &Schema, name: &str) -> Problem {
    unknown(parameter, "field", name, schema.names())
}

/// What is not listed and what does not exist: the same answer.
fn unknown<'a>(
    parameter: &str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!(" Did you mean {near:?}?"),
        None => String::new(),
    };
    let detail = format!("There is no {what} {:?} here.{hint}", cut(name));
    let allowed: Vec<&str> = known.collect();
    problem(code::UNKNOWN_FIELD, parameter, detail).with_extension("allowed", allowed)
}

fn problem(
    code: &'static str,
    parameter: &str,
    detail: impl Into<std::borrow::Cow<'static, str>>,
) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code)
        .with_detail(detail)
        .with_parameter(cut(parameter))
}
