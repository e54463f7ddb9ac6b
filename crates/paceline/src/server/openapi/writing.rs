//! Operations that write.

use paceline_data::resource::Resource;
use serde_json::{Value, json};

use super::operation_id;
use super::schema::{changes_name, for_token, new_name, reference, row_name, with_problems};

const BODY_PROBLEMS: [u16; 10] = [400, 404, 409, 412, 413, 415, 422, 428, 429, 503];

pub(super) fn create(resource: &Resource, token: bool) -> Value {
    let responses = json!({"201": answered(resource, "Created; Location is its address.")});
    operation(
        "create",
        resource,
        Some(&new_name(resource)),
        responses,
        token,
    )
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

fn operation(
    verb: &str,
    resource: &Resource,
    body: Option<&str>,
    own: Value,
    token: bool,
) -> Value {
    let mut operation = json!({
        "operationId": operation_id(verb, &resource.name),
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
