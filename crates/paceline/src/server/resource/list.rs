//! `GET /api/{resource}`.

use axum::response::Response;
use http::header::LINK;
use http::request::Parts;
use http::{HeaderValue, Uri};
use paceline_data::plan::{ListPlan, TotalPlan};
use paceline_data::query::parse_list;
use paceline_data::resource::Resource;
use paceline_data::version::Stamp;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::answer::{answer, table_tag};
use super::failure;
use super::links::link_header;
use super::negotiate::{DIALECTS, negotiate};
use super::text_of;
use crate::server::plans::Planned;
use crate::server::source::Source;

/// Answers one page.
pub(super) async fn list(
    source: &Source,
    resource: &Resource,
    head: &Parts,
) -> Result<Response, Problem> {
    let dialect = negotiate(&head.headers, &DIALECTS)?;
    let plans = &source.lists[dialect as usize];
    let planned = plans.get(text_of(&head.uri), b'l', || {
        let query = head.uri.query().unwrap_or_default();
        let parsed = parse_list(&source.resources, resource, dialect, query)
            .map_err(|error| failure::query(&error))?;
        ListPlan::new(&source.resources, &parsed, &source.cursors)
            .map_err(|error| failure::query(&error))
    })?;
    let render = |stamp| render(source, &planned, &head.uri, stamp);
    answer(
        source,
        &planned.key,
        &planned.plan.tables,
        (&head.method, &head.headers),
        render,
    )
    .await
}

async fn render(
    source: &Source,
    Planned { plan, key }: &Planned<ListPlan>,
    uri: &Uri,
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
