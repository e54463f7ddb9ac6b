//! POST, PATCH, PUT and DELETE: the body checked, one statement with its precondition, the row answered.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use paceline_data::plan::{OnePlan, format_key};
use paceline_data::query::{Dialect, OneQuery, parse_one};
use paceline_data::resource::{AccessVerb, Resource, WriteVerb};
use paceline_data::write::{Bodies, ChangeKind, Touch, WritePlan, Writes, Written};
use paceline_data::{Principal, Value};
use paceline_http::problem::Problem;

use super::precondition::{Asked, asked};
use super::{Routes, failure, one};
use crate::server::body::read_json;
use crate::server::source::Source;

/// `POST /api/{resource}`.
pub(super) async fn create(
    shared: &Routes,
    resource: &Resource,
    head: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let source = &shared.source;
    let query = selection(source, resource, head)?;
    let bytes = read_json(&head.headers, body, source.bodies).await?;
    let writer = source.viewer(&head.headers);
    let changes = bodies(
        source,
        resource,
        touch(source, resource).as_ref(),
        writer.as_ref(),
    )
    .create(&bytes)
    .map_err(failure::body)?;
    let plan = Writes::of(&source.resources, resource)
        .by(writer.as_ref())
        .create(&changes);
    perform(shared, resource, query, plan).await
}

/// PATCH, PUT or DELETE of `/api/{resource}/{key}`.
pub(super) async fn change(
    shared: &Routes,
    resource: &Resource,
    verb: WriteVerb,
    head: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let source = &shared.source;
    let query = selection(source, resource, head)?;
    let key = one::key_of(source, resource, &head.uri)?;
    let asked = asked(&head.headers, source.rules(resource).require_match)?;
    let writer = source.viewer(&head.headers);
    check_none_of(source, resource, &key, writer.clone(), &asked).await?;
    let writes = Writes::of(&source.resources, resource).by(writer.as_ref());
    if verb == WriteVerb::Delete {
        let plan = writes.delete(&key, asked.precondition);
        return perform(shared, resource, query, plan).await;
    }
    let bytes = read_json(&head.headers, body, source.bodies).await?;
    let touch = touch(source, resource);
    let bodies = bodies(source, resource, touch.as_ref(), writer.as_ref());
    let plan = if verb == WriteVerb::Update {
        let changes = bodies.update(&key, &bytes).map_err(failure::body)?;
        writes.update(&key, &changes, asked.precondition)
    } else {
        let changes = bodies.replace(&key, &bytes).map_err(failure::body)?;
        let may_create = source.check(resource.id, AccessVerb::Create, &head.headers);
        let writes = writes.may_create(may_create.is_ok());
        writes.replace(&key, &changes, asked.precondition)
    };
    perform(shared, resource, query, plan).await
}

/// What of the row is answered: the same choices as for GET. `None` for those who may write rows and not
/// read them; naming rows of others that they may not read is refused.
fn selection(
    source: &Source,
    resource: &Resource,
    head: &Parts,
) -> Result<Option<OneQuery>, Problem> {
    let query = head.uri.query().unwrap_or_default();
    let mut query = parse_one(&source.resources, resource, Dialect::Plain, query)
        .map_err(|error| failure::query(&error))?;
    let readable = source.check(resource.id, AccessVerb::Read, &head.headers);
    if readable.is_err() {
        return Ok(None);
    }
    query.viewer = source.viewer(&head.headers);
    let key = vec![Value::Null; resource.key.len()];
    let nested = OnePlan::new(&source.resources, &query, &key).nested;
    source.check_nested(&nested, &head.headers)?;
    Ok(Some(query))
}

fn bodies<'a>(
    source: &'a Source,
    resource: &'a Resource,
    touch: Option<&'a Touch>,
    writer: Option<&'a Principal>,
) -> Bodies<'a> {
    Bodies {
        resource,
        table: source.resources.table_of(resource),
        touch,
        writer,
    }
}

fn touch(source: &Source, resource: &Resource) -> Option<Touch> {
    let column = source.rules(resource).touch?;
    let now = jiff::Timestamp::now();
    let value = Value::Text(format!("{now:.3}"));
    Some(Touch { column, value })
}

/// `If-None-Match` with tags on a write: 412 when one of them is the row's (RFC 9110 section 13.1.2).
async fn check_none_of(
    source: &Source,
    resource: &Resource,
    key: &[Value],
    viewer: Option<Principal>,
    asked: &Asked,
) -> Result<(), Problem> {
    if asked.none_of.is_empty() {
        return Ok(());
    }
    let mut query = parse_one(&source.resources, resource, Dialect::Plain, "")
        .map_err(|error| failure::query(&error))?;
    query.viewer = viewer;
    let plan = OnePlan::new(&source.resources, &query, key);
    let row = source
        .database
        .run(plan.statement.clone(), plan.encoder())
        .await
        .map_err(failure::run)?;
    match row.encoder.version() {
        Some(version) if asked.none_of.iter().any(|tag| tag == version) => {
            Err(Problem::precondition_failed())
        }
        _ => Ok(()),
    }
}

/// Runs the write, reads the row back before the commit, tells the live stream after it.
async fn perform(
    shared: &Routes,
    resource: &Resource,
    query: Option<OneQuery>,
    plan: WritePlan,
) -> Result<Response, Problem> {
    let read_back = query
        .filter(|_| resource.has_key())
        .map(|query| OnePlan::read_back(&shared.source.resources, &query));
    let (written, answer) = shared
        .source
        .database
        .write_and_read(plan, read_back)
        .await
        .map_err(failure::write)?;
    if let Some(live) = &shared.live {
        live.tell_change(resource, &written.change);
    }
    let place = format!("{}/api/{}", shared.source.public_path, resource.path);
    Ok(respond(
        &place,
        &written,
        answer.filter(|row| row.rows > 0).map(|row| row.bytes),
    ))
}

/// `place` is where the resource is.
fn respond(place: &str, written: &Written, row: Option<Vec<u8>>) -> Response {
    let created = written.change.kind == ChangeKind::Created;
    let Some(row) = row else {
        return if created {
            StatusCode::CREATED
        } else {
            StatusCode::NO_CONTENT
        }
        .into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(version) = &written.row_version {
        headers.insert(ETAG, one::row_tag(version, &row).header_value().clone());
    }
    if created {
        let location = format!("{place}/{}", format_key(&written.change.key));
        // A path of odd characters is answered without its address rather than not at all.
        if let Ok(location) = HeaderValue::try_from(location) {
            headers.insert(LOCATION, location);
        }
    }
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    (status, headers, row).into_response()
}
