//! Operations that write.

use paceline_data::resource::Resource;
use serde_json::{Value, json};

use super::operation_id;
use super::schema::{
    changes_name, for_token, new_name, reference, row_name, whole_name, with_problems,
};

const BODY_PROBLEMS: [u16; 10] = [400, 404, 409, 412, 413, 415, 422, 428, 429, 503];

pub(super) fn create(resource: &Resource, token: bool) -> Value {
    let created = created(
        resource,
        "Created; Location is its address. Of many rows the keys; the count alone where a row has no key, or the \
         caller may not read it.",
    );
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

/// `is_seen`: whoever may change the row may read it.
pub(super) fn update(resource: &Resource, token: bool, is_seen: bool) -> Value {
    let responses = changed(resource, is_seen);
    operation(
        "update",
        resource,
        Some(&changes_name(resource)),
        responses,
        token,
    )
}

/// `is_seen`: whoever may change the row may read it.
pub(super) fn replace(resource: &Resource, token: bool, is_seen: bool) -> Value {
    let mut responses = changed(resource, is_seen);
    responses["201"] = created(resource, "Created: there was no row of this key.");
    operation(
        "replace",
        resource,
        Some(&whole_name(resource)),
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

/// After a change: the row, or nothing for those who may not read it.
fn changed(resource: &Resource, is_seen: bool) -> Value {
    let mut responses = json!({"200": answered(resource, "The row after the change.")});
    if !is_seen {
        responses["204"] = json!({"description": "Changed; the caller may not read the row."});
    }
    responses
}

fn created(resource: &Resource, about: &str) -> Value {
    let mut created = answered(resource, about);
    created["content"]["application/json"]["schema"] =
        json!({"anyOf": [reference(&row_name(resource)), reference("Created")]});
    created
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
