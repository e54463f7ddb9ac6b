//! `GET /api/{resource}`.

use axum::response::Response;
use http::header::{LINK, VARY};
use http::request::Parts;
use http::{HeaderValue, Uri};
use paceline_data::encode::Neighbours;
use paceline_data::plan::{ListPlan, TotalPlan};
use paceline_data::query::parse_list;
use paceline_data::resource::{AccessVerb, Resource};
use paceline_data::version::Stamp;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::answer::{answer, table_tag};
use super::failure;
use super::negotiate::{DIALECTS, content_type, negotiate};
use super::{marked, text_of};
use crate::server::plans::Planned;
use crate::server::source::Source;

/// A longer `Link` is left out.
const LONGEST_LINK: usize = 8 * 1024;

/// Answers one page.
pub(super) async fn list(
    source: &Source,
    resource: &Resource,
    head: &Parts,
) -> Result<Response, Problem> {
    let dialect = negotiate(&head.headers, &DIALECTS)?;
    let plans = &source.lists[dialect as usize];
    let viewer = || source.viewer(&head.headers);
    let planned = plans.get(text_of(&head.uri), b'l' + dialect as u8, viewer, |viewer| {
        let query = head.uri.query().unwrap_or_default();
        let mut parsed = parse_list(&source.resources, resource, dialect, query)
            .map_err(|error| failure::query(&error))?;
        parsed.viewer = viewer;
        ListPlan::new(&source.resources, &parsed, &source.cursors)
            .map_err(|error| failure::query(&error))
    })?;
    let nested = &planned.plan.nested;
    source.check_nested(nested, &head.headers)?;
    let render = |stamp| render(source, &planned, &head.uri, stamp);
    let response = answer(
        source,
        &planned.key,
        &planned.plan.tables,
        (&head.method, &head.headers),
        render,
    )
    .await?;
    let base = (resource.id, AccessVerb::List);
    Ok(marked(source, base, nested, response))
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
            let stamp = source.database.stamp(&plan.counted_tables);
            Some(
                source
                    .database
                    .total(statement, stamp)
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
    let outside = |inside: &str| format!("{}{inside}", source.public_path);
    let path = outside(uri.path());
    let neighbours = Neighbours::of(&path, uri.query().unwrap_or_default(), &info, plan.dialect);
    let mut body = page.bytes;
    page.encoder
        .finish(&info, &neighbours, &outside(text_of(uri)), &mut body);
    let tag = table_tag(stamp, key, (plan.is_personal, &body));
    let representation = Representation::new(content_type(plan.dialect), body)
        .with_tag(tag)
        .with_header(VARY, HeaderValue::from_static("accept, accept-encoding"));
    Ok(match link_header(&neighbours) {
        Some(links) => representation.with_header(LINK, links),
        None => representation,
    })
}

/// `Link` of a page (RFC 8288); `None` when it would be too long: the body says the same.
fn link_header(neighbours: &Neighbours) -> Option<HeaderValue> {
    let mut header = String::new();
    for (relation, url) in [
        ("first", Some(&neighbours.first)),
        ("prev", neighbours.prev.as_ref()),
        ("next", neighbours.next.as_ref()),
        ("last", neighbours.last.as_ref()),
    ] {
        let Some(url) = url else { continue };
        let separator = if header.is_empty() { "<" } else { ", <" };
        for part in [separator, url, ">; rel=\"", relation, "\""] {
            header.push_str(part);
        }
    }
    (header.len() <= LONGEST_LINK)
        .then(|| HeaderValue::try_from(header).ok())
        .flatten()
}
