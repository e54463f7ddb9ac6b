//! `GET /openapi.json`: OpenAPI 3.1 of what is served, made once at start from the same resources that answer.

mod fixed;
mod reading;
mod schema;
mod value;
mod writing;

use paceline_data::resource::{AccessVerb, Resource, Resources, WriteVerb};
use serde_json::{Map, Value, json};

use super::source::{Rules, Source};
use crate::config::Access;

/// Which parts besides the resources are served, and where.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent parts, not states"
)]
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
    /// Whether API keys are taken.
    pub(super) api_keys: bool,
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
    if let Some(scheme) = security_scheme(parts) {
        components["securitySchemes"] = json!({"token": scheme});
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

/// How callers say who they are: one header, for both kinds of tokens.
fn security_scheme(parts: &Parts) -> Option<Value> {
    let mut scheme = json!({"type": "http", "scheme": "bearer"});
    let about = match (&parts.login, parts.api_keys) {
        (None, false) => return None,
        (Some(_), false) => {
            scheme["bearerFormat"] = json!("JWT");
            "The token of a login."
        }
        (None, true) => "An API key.",
        (Some(_), true) => "The token of a login, or an API key.",
    };
    scheme["description"] = json!(about);
    Some(scheme)
}

/// Says whose rows an operation is about, where they have owners.
fn for_owner(mut operation: Value, resource: &Resource, rules: &Rules, verb: AccessVerb) -> Value {
    if let Access::Owner(column) = rules.access.rule(verb) {
        let is_shown = resource.field(column).is_some();
        let what = if is_shown {
            format!(", as `{column}` says")
        } else {
            String::new()
        };
        let about = match verb {
            AccessVerb::List => format!("Tells of the caller's own rows only{what}."),
            AccessVerb::Create => format!("The row becomes the caller's own{what}."),
            _ => format!(
                "The row must be the caller's own{what}; others are answered 404, as if they were not there."
            ),
        };
        operation["description"] = json!(about);
    }
    operation
}

fn add_resource(
    resources: &Resources,
    resource: &Resource,
    (parts, rules): (&Parts, &Rules),
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    schemas.insert(schema::row_name(resource), schema::row(resources, resource));
    let token = |verb| *rules.access.rule(verb) != Access::Public;
    let own = |operation, verb| for_owner(operation, resource, rules, verb);
    let list = reading::list(resources, resource, token(AccessVerb::List));
    let mut many = json!({"get": own(list, AccessVerb::List)});
    if resource.can(WriteVerb::Create) {
        schemas.insert(
            schema::new_name(resource),
            schema::written(resources, resource, schema::Body::New),
        );
        let create = writing::create(resource, token(AccessVerb::Create));
        many["post"] = own(create, AccessVerb::Create);
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
            json!({"get": own(reading::export(resources, resource, token(AccessVerb::List)), AccessVerb::List)}),
        );
    }
}

fn one(
    resources: &Resources,
    resource: &Resource,
    rules: &Rules,
    schemas: &mut Map<String, Value>,
) -> Value {
    let token = |verb| *rules.access.rule(verb) != Access::Public;
    let own = |operation, verb| for_owner(operation, resource, rules, verb);
    let is_seen = !token(AccessVerb::Read);
    let mut item = json!({
        "parameters": [schema::key_parameter(resource)],
        "get": own(reading::one(resource, token(AccessVerb::Read)), AccessVerb::Read),
    });
    if resource.can(WriteVerb::Update) {
        schemas.insert(
            schema::changes_name(resource),
            schema::written(resources, resource, schema::Body::Changes),
        );
        item["patch"] = own(
            writing::update(resource, token(AccessVerb::Update), is_seen),
            AccessVerb::Update,
        );
    }
    if resource.can(WriteVerb::Replace) {
        schemas.insert(
            schema::whole_name(resource),
            schema::written(resources, resource, schema::Body::Whole),
        );
        item["put"] = own(
            writing::replace(resource, token(AccessVerb::Update), is_seen),
            AccessVerb::Update,
        );
    }
    if resource.can(WriteVerb::Delete) {
        item["delete"] = own(
            writing::delete(resource, token(AccessVerb::Delete)),
            AccessVerb::Delete,
        );
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
