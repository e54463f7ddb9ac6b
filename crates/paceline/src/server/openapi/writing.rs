//! Operations that write.

use paceline_data::resource::Resource;
use serde_json::{Value, json};

use super::operation_id;
use super::schema::{changes_name, for_token, new_name, reference, row_name, with_problems};

const BODY_PROBLEMS: [u16; 10] = [400, 404, 409, 412, 413, 415, 422, 428, 429, 503];

pub(super) fn create(resource: &Resource, token: bool) -> Value {
    let mut created = answered(
        resource,
        "Created; Location is its address. Of many rows the keys.",
    );
    let row = reference(&row_name(resource));
    created["content"]["application/json"]["schema"] =
        json!({"anyOf": [row, reference("Created")]});
    let one = new_name(resource);
    let responses = json!({"201": created});
    let mut operation = operation("create", resource, Some(&one), responses, token);
    let many = json!({"type": "array", "minItems": 1, "items": reference(&one)});
    let body = &mut operation["requestBody"];
    body["description"] = json!(
        "One row, or a list of rows of which all are created or none; also a row a line, as application/x-ndjson, \
         which is answered by a report a line."
    );
    body["content"]["application/json"]["schema"] = json!({"anyOf": [reference(&one), many]});
    operation
}

pub(super) fn update(resource: &Resource, token: bool) -> Value {
    let responses = json!({"200": answered(resource, "The row after the change.")});
    operation(
        "update",
        resource,
        Some(&changes_name(resource)),
        responses,
        token,
    )
}

pub(super) fn replace(resource: &Resource, token: bool) -> Value {
    let responses = json!({
        "200": answered(resource, "The row after the change."),
        "201": answered(resource, "Created: there was no row of this key."),
    });
    operation(
        "replace",
        resource,
        Some(&new_name(resource)),
        responses,
        token,
    )
}

pub(super) fn delete(resource: &Resource, token: bool) -> Value {
    operation(
        "delete",
        resource,
        None,
        json!({"204": {"description": "Deleted."}}),
        token,
    )
}

fn answered(resource: &Resource, about: &str) -> Value {
    json!({
        "description": about,
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-Match of the next change."}},
        "content": {"application/json": {"schema": reference(&row_name(resource))}},
    })
}

/// The header with which a write is sent again.
fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Repeats with the same key and body get the same answer for 24 hours, and write nothing.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    })
}

fn operation(
    verb: &str,
    resource: &Resource,
    body: Option<&str>,
    own: Value,
    token: bool,
) -> Value {
    let mut operation = json!({
        "operationId": operation_id(verb, &resource.name),
        "parameters": [idempotency_key()],
        "responses": with_problems(own, &BODY_PROBLEMS),
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": reference(schema)}},
        });
    }
    for_token(operation, token)
}
