//! `GET /api/{resource}/{key}`.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, Uri};
use paceline_data::plan::{OnePlan, parse_key};
use paceline_data::query::{Dialect, parse_one};
use paceline_data::version::Stamp;
use paceline_http::conditional::EntityTag;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::answer::{answer, strong, table_tag};
use super::negotiate::negotiate;
use super::{failure, no_resource};
use crate::server::source::Source;

/// Answers one row.
pub(super) async fn one(
    State(source): State<Arc<Source>>,
    path: RawPathParams,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = path
        .iter()
        .find(|(name, _)| *name == "resource")
        .map_or("", |(_, value)| value);
    let resource = source.resources.by_path(name).ok_or_else(no_resource)?;
    negotiate(&headers, &[("application/json", ())])?;
    let query = parse_one(
        &source.resources,
        resource,
        Dialect::Plain,
        uri.query().unwrap_or_default(),
    )
    .map_err(|error| failure::query(&error))?;
    // The parts of a composite key are separated before they are decoded.
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    let key = parse_key(&source.resources, resource, segment).ok_or_else(no_row)?;
    let plan = OnePlan::new(&source.resources, &query, &key);
    let render = |stamp| render(&source, &plan, stamp);
    answer(
        &source,
        &plan.key,
        &plan.tables,
        (&method, &headers),
        render,
    )
    .await
}

async fn render(
    source: &Source,
    plan: &OnePlan,
    stamp: Option<Stamp>,
) -> Result<Representation, Problem> {
    let row = source
        .database
        .run(plan.statement.clone(), plan.encoder())
        .await
        .map_err(failure::run)?;
    if row.rows == 0 {
        return Err(no_row());
    }
    let whole = table_tag(stamp, &plan.key, &row.bytes);
    // A row that can be written is tagged by itself: other rows' changes do not matter to If-Match.
    let tag = match row.encoder.version() {
        Some(version) => row_tag(version, &row.bytes),
        None => whole,
    };
    Ok(Representation::new(HeaderValue::from_static("application/json"), row.bytes).with_tag(tag))
}

/// The tag of one representation of a row: its version, a dot, and what tells selections apart.
pub(super) fn row_tag(version: &str, body: &[u8]) -> EntityTag {
    let content = blake3::hash(body).to_hex();
    strong(&format!("{version}.{}", &content[..16]))
}

pub(super) fn no_row() -> Problem {
    Problem::not_found("There is no row with this key.")
}
