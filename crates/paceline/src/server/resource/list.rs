//! `GET /api/{resource}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::header::LINK;
use http::{HeaderMap, HeaderValue, Method, Uri};
use paceline_data::plan::{ListPlan, TotalPlan};
use paceline_data::query::{Dialect, parse_list};
use paceline_data::version::Stamp;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::answer::{answer, table_tag};
use super::links::link_header;
use super::negotiate::negotiate;
use super::{failure, no_resource};
use crate::server::source::Source;

/// Answers one page.
pub(super) async fn list(
    State(source): State<Arc<Source>>,
    Path(resource): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let resource = source
        .resources
        .by_path(&resource)
        .ok_or_else(no_resource)?;
    negotiate(&headers, &[("application/json", ())])?;
    let query_text = uri.query().unwrap_or_default();
    let parsed = parse_list(&source.resources, resource, Dialect::Plain, query_text)
        .map_err(|error| failure::query(&error))?;
    let plan = ListPlan::new(&source.resources, &parsed, &source.cursors)
        .map_err(|error| failure::query(&error))?;
    // The text is part of the key: the links repeat it.
    let mut key = plan.key.to_vec();
    key.extend_from_slice(uri.path().as_bytes());
    key.push(b'?');
    key.extend_from_slice(query_text.as_bytes());
    let render = |stamp| render(&source, &plan, &uri, &key, stamp);
    answer(&source, &key, &plan.tables, (&method, &headers), render).await
}

async fn render(
    source: &Source,
    plan: &ListPlan,
    uri: &Uri,
    key: &[u8],
    stamp: Option<Stamp>,
) -> Result<Representation, Problem> {
    let total = match &plan.total {
        TotalPlan::None => None,
        TotalPlan::Estimated(rows) => Some(*rows),
        TotalPlan::Counted(statement) => {
            let base = source.database.stamp(&plan.tables[..1]);
            Some(
                source
                    .database
                    .total(statement, base)
                    .await
                    .map_err(failure::run)?,
            )
        }
    };
    let page = source
        .database
        .run(plan.statement.clone(), plan.encoder())
        .await
        .map_err(failure::run)?;
    let info = plan.info(&page.encoder, total, &source.cursors);
    let mut body = page.bytes;
    info.write_end(&mut body);
    let tag = table_tag(stamp, key, &body);
    let representation =
        Representation::new(HeaderValue::from_static("application/json"), body).with_tag(tag);
    Ok(
        match link_header(uri.path(), uri.query().unwrap_or_default(), &info) {
            Some(links) => representation.with_header(LINK, links),
            None => representation,
        },
    )
}
