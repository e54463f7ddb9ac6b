//! `GET /openapi.json`: OpenAPI 3.1 of what is served, made once at start from the same resources that answer.

mod fixed;
mod reading;
mod schema;
mod writing;

use paceline_data::resource::{Resource, Resources, WriteVerb};
use serde_json::{Map, Value, json};

use super::source::{Rules, Source};

/// Which parts besides the resources are served, and where.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// `POST` path of the mail route.
    pub(super) email: Option<String>,
    /// Whether mails and their jobs need a login token.
    pub(super) email_token: bool,
    /// `POST` path of the login route.
    pub(super) login: Option<String>,
    /// `GET` path of the live stream.
    pub(super) stream: Option<String>,
    /// Whether jobs can be asked for.
    pub(super) jobs: bool,
    /// Whether exports are served.
    pub(super) export: bool,
}

/// The whole document.
pub(super) fn document(source: &Source, parts: &Parts) -> Value {
    let resources = &source.resources;
    let mut paths = Map::new();
    let mut schemas = schema::fixed();
    for resource in resources.all() {
        let rules = source.rules(resource);
        add_resource(
            resources,
            resource,
            (parts, rules),
            &mut paths,
            &mut schemas,
        );
    }
    fixed::add(parts, &mut paths);
    let mut components = json!({"schemas": schemas, "responses": schema::problem_responses()});
    if parts.login.is_some() {
        components["securitySchemes"] =
            json!({"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
    }
    let server = match &*source.public_path {
        "" => "/",
        path => path,
    };
    json!({
        "openapi": "3.1.0",
        "servers": [{"url": server}],
        "info": {
            "title": "Paceline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tables as resources. Errors are RFC 9457 problem documents with a stable `code`.",
        },
        "paths": paths,
        "components": components,
    })
}

fn add_resource(
    resources: &Resources,
    resource: &Resource,
    (parts, rules): (&Parts, &Rules),
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    schemas.insert(schema::row_name(resource), schema::row(resources, resource));
    let token = rules.token_read;
    let mut many = json!({"get": reading::list(resources, resource, token)});
    if resource.can(WriteVerb::Create) {
        schemas.insert(
            schema::new_name(resource),
            schema::written(resources, resource, true),
        );
        many["post"] = writing::create(resource, rules.token_write);
    }
    paths.insert(format!("/api/{}", resource.path), many);
    if resource.has_key() {
        paths.insert(
            format!("/api/{}/{{key}}", resource.path),
            one(resources, resource, rules, schemas),
        );
    }
    if parts.export && resource.export {
        paths.insert(
            format!("/api/export/{}", resource.path),
            json!({"get": reading::export(resources, resource, token)}),
        );
    }
}

fn one(
    resources: &Resources,
    resource: &Resource,
    rules: &Rules,
    schemas: &mut Map<String, Value>,
) -> Value {
    let token = rules.token_write;
    let mut item = json!({
        "parameters": [schema::key_parameter(resource)],
        "get": reading::one(resource, rules.token_read),
    });
    if resource.can(WriteVerb::Update) {
        schemas.insert(
            schema::changes_name(resource),
            schema::written(resources, resource, false),
        );
        item["patch"] = writing::update(resource, token);
    }
    if resource.can(WriteVerb::Replace) {
        schemas.insert(
            schema::new_name(resource),
            schema::written(resources, resource, true),
        );
        item["put"] = writing::replace(resource, token);
    }
    if resource.can(WriteVerb::Delete) {
        item["delete"] = writing::delete(resource, token);
    }
    item
}

/// A name in camel case for an operation: `listPosts`.
fn operation_id(verb: &str, name: &str) -> String {
    let mut id = verb.to_owned();
    for word in name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut letters = word.chars();
        id.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        id.push_str(letters.as_str());
    }
    id
}
