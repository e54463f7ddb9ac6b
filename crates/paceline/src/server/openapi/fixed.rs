//! Operations that do not depend on the tables: mail, login, jobs, stream, health.

use serde_json::{Map, Value, json};

use super::Parts;
use super::schema::{for_token, with_problems};

pub(super) fn add(parts: &Parts, paths: &mut Map<String, Value>) {
    if let Some(path) = &parts.email {
        paths.insert(path.clone(), email(parts.email_token));
    }
    if let Some(path) = &parts.login {
        paths.insert(path.clone(), login());
    }
    if let Some(path) = &parts.stream {
        paths.insert(path.clone(), stream());
    }
    if parts.jobs {
        paths.insert("/api/jobs/{queue}/{id}".to_owned(), job(parts.email_token));
    }
    paths.insert(
        "/health/live".to_owned(),
        health("live", "The process answers."),
    );
    paths.insert(
        "/health/ready".to_owned(),
        health(
            "ready",
            "The database can be read and no stop is under way.",
        ),
    );
}

fn text() -> Value {
    json!({"type": "string"})
}

fn object_body(required: &[&str]) -> Value {
    let properties: Map<String, Value> = required
        .iter()
        .map(|name| ((*name).to_owned(), text()))
        .collect();
    let schema = json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false});
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

fn email(token: bool) -> Value {
    let queued = json!({
        "description": "Stored; a worker delivers it. Location is the job's address.",
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["success", "message", "job"],
            "properties": {
                "success": {"type": "boolean"},
                "message": text(),
                "job": {"type": "object", "properties": {"queue": text(), "id": text()}},
            },
        }}},
    });
    let operation = json!({
        "operationId": "sendEmail",
        "parameters": [{
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Repeats with the same key and body return the same job for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }],
        "requestBody": object_body(&["to", "subject", "body"]),
        "responses": with_problems(json!({"202": queued}), &[400, 413, 415, 422, 429, 503]),
    });
    json!({"post": for_token(operation, token)})
}

fn login() -> Value {
    let granted = json!({
        "description": "A token for the Authorization header: `Bearer <token>`.",
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["token", "token_type", "expires_in"],
            "properties": {"token": text(), "token_type": text(), "expires_in": {"type": "integer"}},
        }}},
    });
    json!({"post": {
        "operationId": "login",
        "requestBody": object_body(&["email", "password"]),
        "responses": with_problems(json!({"200": granted}), &[400, 401, 413, 415, 422, 429, 503]),
    }})
}

fn stream() -> Value {
    let events = json!({
        "description": "Server-sent events: `change`, `job`, and `reset` when the missed events are gone.",
        "content": {"text/event-stream": {"schema": text()}},
    });
    json!({"get": {
        "operationId": "stream",
        "parameters": [
            {"name": "Last-Event-ID", "in": "header", "schema": text()},
            {"name": "job", "in": "query", "description": "`queue/id` of a job whose events are told with their data.", "schema": text()},
        ],
        "responses": with_problems(json!({"200": events}), &[400, 429, 503]),
    }})
}

fn job(token: bool) -> Value {
    let path = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
    let found = json!({
        "description": "The job's state, attempts, progress and result.",
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["queue", "id", "state"],
            "properties": {"queue": text(), "id": text(), "state": text()},
        }}},
    });
    let operation = json!({
        "operationId": "getJob",
        "responses": with_problems(json!({"200": found, "304": {"description": "Unchanged."}}), &[404, 429, 503]),
    });
    json!({"parameters": [path("queue"), path("id")], "get": for_token(operation, token)})
}

fn health(name: &str, about: &str) -> Value {
    let fine = json!({
        "description": about,
        "content": {"application/json": {"schema": {"type": "object", "properties": {"status": text()}}}},
    });
    json!({"get": {
        "operationId": format!("health_{name}"),
        "responses": with_problems(json!({"200": fine}), &[503]),
    }})
}
