//! `GET /api/{resource}/{key}`.

use axum::response::Response;
use http::header::VARY;
use http::request::Parts;
use http::{HeaderValue, Uri};
use paceline_data::Value;
use paceline_data::plan::{OnePlan, parse_key};
use paceline_data::query::parse_one;
use paceline_data::resource::{AccessVerb, Resource};
use paceline_data::version::Stamp;
use paceline_http::conditional::EntityTag;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::answer::{answer, strong, table_tag};
use super::failure;
use super::negotiate::{DIALECTS, content_type, negotiate};
use super::{marked, text_of};
use crate::server::plans::Planned;
use crate::server::source::Source;

/// Answers one row.
pub(super) async fn one(
    source: &Source,
    resource: &Resource,
    head: &Parts,
) -> Result<Response, Problem> {
    let dialect = negotiate(&head.headers, &DIALECTS)?;
    let plans = &source.ones[dialect as usize];
    let viewer = || source.viewer(&head.headers);
    let planned = plans.get(text_of(&head.uri), b'o' + dialect as u8, viewer, |viewer| {
        let query = head.uri.query().unwrap_or_default();
        let mut query = parse_one(&source.resources, resource, dialect, query)
            .map_err(|error| failure::query(&error))?;
        query.viewer = viewer;
        let key = key_of(source, resource, &head.uri)?;
        Ok(OnePlan::new(&source.resources, &query, &key))
    })?;
    let nested = &planned.plan.nested;
    source.check_nested(nested, &head.headers)?;
    let render = |stamp| render(source, &planned, stamp);
    let response = answer(
        source,
        &planned.key,
        &planned.plan.tables,
        (&head.method, &head.headers),
        render,
    )
    .await?;
    let base = (resource.id, AccessVerb::Read);
    Ok(marked(source, base, nested, response))
}

/// The key in the path. The parts of a composite key are separated before they are decoded.
pub(super) fn key_of(
    source: &Source,
    resource: &Resource,
    uri: &Uri,
) -> Result<Vec<Value>, Problem> {
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    parse_key(&source.resources, resource, segment).ok_or_else(no_row)
}

async fn render(
    source: &Source,
    Planned { plan, key }: &Planned<OnePlan>,
    stamp: Option<Stamp>,
) -> Result<Representation, Problem> {
    let row = source
        .database
        .run(plan.statement.clone(), plan.encoder())
        .await
        // A key that no value of its column can be is that of no row.
        .map_err(|error| {
            if error.is_value() {
                no_row()
            } else {
                failure::run(error)
            }
        })?;
    if row.rows == 0 {
        return Err(no_row());
    }
    let whole = table_tag(stamp, key, (plan.is_personal, &row.bytes));
    // A row that can be written is tagged by itself: other rows' changes do not matter to If-Match.
    let tag = match row.encoder.version() {
        Some(version) => row_tag(version, &row.bytes),
        None => whole,
    };
    Ok(Representation::new(content_type(plan.dialect), row.bytes)
        .with_tag(tag)
        .with_header(VARY, HeaderValue::from_static("accept, accept-encoding")))
}

/// The tag of one representation of a row: its version, a dot, and what tells selections apart.
pub(super) fn row_tag(version: &str, body: &[u8]) -> EntityTag {
    let content = blake3::hash(body).to_hex();
    strong(&format!("{version}.{}", &content[..16]))
}

pub(super) fn no_row() -> Problem {
    Problem::not_found("There is no row with this key.")
}
