//! Schemas of rows, pages and problems.

use paceline_data::catalog::ColumnKind;
use paceline_data::resource::{AccessVerb, Field, Resource, Resources};
use serde_json::{Map, Value, json};

use super::value::Forms;

pub(super) fn row_name(resource: &Resource) -> String {
    component("Row", resource)
}

pub(super) fn new_name(resource: &Resource) -> String {
    component("New", resource)
}

/// A row as `PUT` sends it: its key stands in the path.
pub(super) fn whole_name(resource: &Resource) -> String {
    component("Whole", resource)
}

pub(super) fn changes_name(resource: &Resource) -> String {
    component("Changes", resource)
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Component names allow letters, digits and `.-_` only; the index keeps two odd names apart.
fn component(kind: &str, resource: &Resource) -> String {
    let safe: String = resource
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if safe == resource.name {
        format!("{kind}.{safe}")
    } else {
        format!("{kind}.{safe}.{}", resource.id.index())
    }
}

/// A row as it is answered. Nothing is required: a request chooses its fields.
pub(super) fn row(resources: &Resources, resource: &Resource) -> Value {
    let forms = Forms::of(resources);
    let mut properties: Map<String, Value> = resource
        .fields
        .iter()
        .map(|field| (field.name.clone(), forms.shown(field)))
        .collect();
    for relation in &resource.relations {
        let related = reference(&row_name(resources.get(relation.target)));
        // A field of this name stands for itself, and with others beneath for the relation.
        let field = properties.remove(&relation.name);
        let schema = if relation.is_many() {
            let next = json!({
                "type": ["string", "null"],
                "description": "There only when the list is cut off: where the rest of it is.",
            });
            properties.insert(format!("{}@next", relation.name), next);
            json!({"type": "array", "items": related})
        } else {
            let mut either = vec![related, json!({"type": "null"})];
            either.extend(field);
            json!({"anyOf": either})
        };
        properties.insert(relation.name.clone(), schema);
    }
    json!({"type": "object", "properties": properties})
}

/// What a body asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// `POST`: a whole row, its key included where the database does not make it.
    New,
    /// `PUT`: a whole row, at the key in the path.
    Whole,
    /// `PATCH`: any of its fields.
    Changes,
}

/// A row as it is sent: what may be written and, of whole rows, what must be given.
pub(super) fn written(resources: &Resources, resource: &Resource, body: Body) -> Value {
    let forms = Forms::of(resources);
    let makes_owner = resource.owners.of(AccessVerb::Create).is_some();
    let writable: Vec<(usize, &Field)> = resource
        .fields
        .iter()
        .enumerate()
        .filter(|(index, field)| {
            let column = resources.column_of(resource, *index);
            let is_owner = resource
                .owners
                .columns()
                .any(|owner| *owner == field.column);
            let is_given = !is_owner || (body != Body::Changes && !makes_owner);
            let is_addressed = body != Body::New && resource.key.contains(&field.column);
            let has_form = field.kind != ColumnKind::Composite;
            !column.generated && is_given && !is_addressed && has_form
        })
        .collect();
    let required: Vec<&str> = writable
        .iter()
        .filter(|(index, _)| {
            body != Body::Changes && !resources.column_of(resource, *index).optional_on_insert()
        })
        .map(|(_, field)| field.name.as_str())
        .collect();
    let properties: Map<String, Value> = writable
        .iter()
        .map(|(_, field)| (field.name.clone(), forms.sent(field)))
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// The path parameter that names one row.
pub(super) fn key_parameter(resource: &Resource) -> Value {
    let kind = match resource.key[..] {
        [column] => resource
            .fields
            .iter()
            .find(|field| field.column == column)
            .map(|field| field.kind),
        _ => None,
    };
    let schema = if kind == Some(ColumnKind::Integer) {
        json!({"type": "integer"})
    } else {
        json!({"type": "string", "minLength": 1})
    };
    json!({
        "name": "key",
        "in": "path",
        "required": true,
        "description": "The primary key; the parts of a composite key are joined by commas, in key order.",
        "schema": schema,
    })
}

/// Schemas every service has.
pub(super) fn fixed() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let code = json!({"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$"});
    let number_or_null = json!({"type": ["integer", "null"]});
    let problem = json!({
        "type": "object",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "code": code, "detail": text,
            "parameter": text, "pointer": text, "header": text,
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {"code": code, "detail": text, "pointer": text, "parameter": text},
            }},
        },
    });
    let pagination = json!({
        "type": "object",
        "required": ["limit", "next"],
        "properties": {
            "page": number_or_null, "limit": {"type": "integer"}, "total": number_or_null,
            "pages": number_or_null, "next": {"type": ["string", "null"]},
        },
    });
    let document = json!({
        "type": "object",
        "required": ["jsonapi", "data"],
        "properties": {
            "jsonapi": {"type": "object"}, "data": {"type": ["object", "array"]},
            "included": {"type": "array"}, "links": {"type": "object"}, "meta": {"type": "object"},
        },
    });
    let created = json!({
        "type": "object",
        "required": ["count"],
        "properties": {
            "count": {"type": "integer"},
            "data": {"type": "array", "items": {"type": "object"}},
        },
    });
    Map::from_iter([
        ("Created".to_owned(), created),
        ("JsonApi".to_owned(), document),
        ("Problem".to_owned(), problem),
        ("Pagination".to_owned(), pagination),
    ])
}

/// The one response every error has.
pub(super) fn problem_responses() -> Value {
    json!({"Problem": {
        "description": "What went wrong and what to do, as an RFC 9457 problem document.",
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }})
}

/// The operation, for those with a login token where one is asked for.
pub(super) fn for_token(mut operation: Value, token: bool) -> Value {
    if token {
        operation["security"] = json!([{"token": []}]);
        operation["responses"]["401"] = json!({"$ref": "#/components/responses/Problem"});
    }
    operation
}

/// Adds the error answers an operation can give to its own.
pub(super) fn with_problems(mut own: Value, statuses: &[u16]) -> Value {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    for status in statuses {
        own[status.to_string()] = problem.clone();
    }
    own["default"] = problem;
    own
}
