//! `GET /api/export/{resource}`: every row, streamed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, Uri};
use paceline_data::encode::Layout;
use paceline_data::plan::ExportPlan;
use paceline_data::query::parse_export;
use paceline_data::resource::AccessVerb;
use paceline_http::problem::Problem;

use super::negotiate::negotiate;
use super::{failure, no_resource};
use crate::server::source::Source;

/// Bytes in a frame.
const FRAME: usize = 32 * 1024;

const OFFERS: [(&str, Layout); 3] = [
    ("application/json", Layout::JsonArray),
    ("application/x-ndjson", Layout::NdJson),
    ("text/csv", Layout::Csv),
];

/// Answers once the first rows are there; what fails later breaks the transfer.
pub(super) async fn export(
    State(source): State<Arc<Source>>,
    Path(resource): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let resource = source
        .resources
        .by_path(&resource)
        .filter(|resource| resource.export)
        .ok_or_else(no_resource)?;
    source.check(resource.id, AccessVerb::List, &headers)?;
    let layout = negotiate(&headers, &OFFERS)?;
    let mut query = parse_export(&source.resources, resource, uri.query().unwrap_or_default())
        .map_err(|error| failure::query(&error))?;
    query.viewer = source.viewer(&headers);
    let plan =
        ExportPlan::new(&source.resources, &query).map_err(|error| failure::query(&error))?;
    source.check_nested(&plan.nested, &headers)?;
    let fields = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type(layout))),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
    ];
    if method == Method::HEAD {
        return Ok(fields.into_response());
    }
    let encoder = plan.encoder(layout);
    let rows = source
        .database
        .export(plan, encoder, FRAME)
        .await
        .map_err(failure::run)?;
    Ok((fields, Body::from_stream(rows)).into_response())
}

fn content_type(layout: Layout) -> &'static str {
    match layout {
        Layout::Csv => "text/csv; charset=utf-8",
        Layout::NdJson => "application/x-ndjson",
        Layout::JsonArray => "application/json",
    }
}
