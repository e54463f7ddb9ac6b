//! Operations that read.

use paceline_data::resource::{Resource, Resources};
use serde_json::{Value, json};

use super::operation_id;
use super::schema::{for_token, reference, row_name, with_problems};
use super::value::asked;

const READ_PROBLEMS: [u16; 4] = [400, 406, 429, 503];

pub(super) fn list(resources: &Resources, resource: &Resource, token: bool) -> Value {
    let mut parameters = vec![
        parameter(
            "page",
            "Which page, from 1. Not together with cursor.",
            json!({"type": "integer", "minimum": 1}),
        ),
        parameter(
            "limit",
            "Rows a page.",
            json!({"type": "integer", "minimum": 1, "maximum": resource.max_limit, "default": resource.default_limit}),
        ),
        parameter(
            "cursor",
            "Where to go on: `pagination.next` of the page before.",
            json!({"type": "string"}),
        ),
        parameter(
            "sort",
            "Fields to sort by, a minus sign for descending: `-created_at,id`. Fields of related rows too, where \
             one row is related: `author.name`.",
            json!({"type": "string"}),
        ),
        parameter(
            "count",
            "Whether the total is counted.",
            json!({"type": "string", "enum": ["exact", "estimated", "none"]}),
        ),
    ];
    parameters.extend(selecting(resource));
    parameters.extend(filters(resources, resource));
    let page = json!({
        "type": "object",
        "required": ["data", "pagination"],
        "properties": {
            "data": {"type": "array", "items": reference(&row_name(resource))},
            "pagination": reference("Pagination"),
        },
    });
    let found = json!({
        "description": "One page.",
        "content": {"application/json": {"schema": page}, "application/vnd.api+json": {"schema": reference("JsonApi")}},
    });
    let operation = json!({
        "operationId": operation_id("list", &resource.name),
        "parameters": parameters,
        "responses": with_problems(json!({"200": found, "304": not_modified()}), &READ_PROBLEMS),
    });
    for_token(operation, token)
}

pub(super) fn one(resource: &Resource, token: bool) -> Value {
    let found = json!({
        "description": "The row.",
        "content": {
            "application/vnd.api+json": {"schema": reference("JsonApi")},
            "application/json": {"schema": reference(&row_name(resource))},
        },
    });
    let operation = json!({
        "operationId": operation_id("get", &resource.name),
        "parameters": selecting(resource),
        "responses": with_problems(json!({"200": found, "304": not_modified()}), &[400, 404, 406, 429, 503]),
    });
    for_token(operation, token)
}

pub(super) fn export(resources: &Resources, resource: &Resource, token: bool) -> Value {
    let row = reference(&row_name(resource));
    let mut parameters = selecting(resource);
    parameters.extend(filters(resources, resource));
    let found = json!({
        "description": "All rows, streamed.",
        "content": {
            "application/json": {"schema": {"type": "array", "items": row}},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    });
    let operation = json!({
        "operationId": operation_id("export", &resource.name),
        "parameters": parameters,
        "responses": with_problems(json!({"200": found}), &READ_PROBLEMS),
    });
    for_token(operation, token)
}

fn not_modified() -> Value {
    json!({"description": "The answer the request's If-None-Match names is still current."})
}

/// What chooses the members of a row.
fn selecting(resource: &Resource) -> Vec<Value> {
    let relations: Vec<&str> = resource
        .relations
        .iter()
        .map(|relation| relation.name.as_str())
        .collect();
    let about = "Which fields: `id,title,author.name` or `id,title,author(name)`.";
    if relations.is_empty() {
        return vec![parameter("fields", about, json!({"type": "string"}))];
    }
    let names = relations.join("`, `");
    let about = format!("{about} Related rows: `{names}`.");
    vec![
        parameter("fields", &about, json!({"type": "string"})),
        parameter(
            "include",
            &format!("Related rows beside the fields, joined by commas: `{names}`."),
            json!({"type": "string"}),
        ),
    ]
}

/// A filter for each field, and for each field of related rows.
fn filters(resources: &Resources, resource: &Resource) -> Vec<Value> {
    let taken = |name: &str| {
        paceline_data::resource::RESERVED_PARAMETERS.contains(&name) || name.contains(['[', ']'])
    };
    let own = resource.fields.iter().map(|field| {
        let about = format!(
            "Rows whose `{0}` equals this; also `{0}[ne|gt|gte|lt|lte|in|like|null]=`.",
            field.name
        );
        parameter(&field.name, &about, asked(field.kind))
    });
    let related = resource.relations.iter().flat_map(|relation| {
        let target = resources.get(relation.target);
        target.fields.iter().map(move |field| {
            let name = format!("{}.{}", relation.name, field.name);
            let about = format!(
                "Rows to which a row is related whose `{}` equals this; also `{name}[ne|gt|gte|lt|lte|in|like|null]=`.",
                field.name
            );
            parameter(&name, &about, asked(field.kind))
        })
    });
    let free = |parameter: &Value| !parameter["name"].as_str().is_some_and(taken);
    own.chain(related).filter(free).collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it becomes part of the document"
)]
fn parameter(name: &str, about: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": about, "schema": schema})
}
