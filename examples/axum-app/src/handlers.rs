//! What the service answers, one function a route.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use paceline_http::conditional::{CurrentState, Decision, evaluate};
use paceline_http::fields::{Fields, Selected};
use paceline_http::page::{Page, PageRequest};
use paceline_http::problem::Problem;
use paceline_http::problem::extract::{Json, Path};
use paceline_http::stream::rows::{Format, Rows};
use paceline_http::stream::sse::{EventName, Filter, last_event_id};
use serde::Deserialize;

use crate::App;
use crate::shop::{self, Post, Product};

/// A page of posts, each with the fields that were asked for. Its tag is made of its bytes, by a layer.
pub(super) async fn posts(
    State(app): State<App>,
    fields: Fields<Post>,
    page: PageRequest,
) -> Page<Selected<Vec<Post>>> {
    let (posts, total) = app.shop.posts(page.offset(), page.fetch());
    page.answer(posts)
        .with_total(total)
        .map(|posts| fields.of(posts))
}

/// One product. Its version is known before the work, so a 304 costs next to nothing.
pub(super) async fn product(
    State(app): State<App>,
    Path(id): Path<u64>,
    fields: Fields<Product>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = app.shop.product(id).ok_or_else(no_product)?;
    let tag = product.tag(&fields.selection().to_string())?;
    let etag = [(ETAG, tag.header_value().clone())];
    match evaluate(&method, &headers, &CurrentState::tagged(&tag)) {
        Decision::Proceed => Ok((etag, fields.of(product)).into_response()),
        Decision::NotModified => Ok((StatusCode::NOT_MODIFIED, etag).into_response()),
        Decision::Refuse(refused) => Err(refused.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    stock: u32,
}

/// Changes a product that is still the one the client knows, and tells everybody who listens.
pub(super) async fn change_product(
    State(app): State<App>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Json(change): Json<Change>,
) -> Result<impl IntoResponse, Problem> {
    let changed = app.shop.change(id, |product| {
        if !headers.contains_key(IF_MATCH) {
            return Err(Problem::precondition_required());
        }
        let tag = product.tag(shop::WHOLE)?;
        if let Decision::Refuse(refused) =
            evaluate(&Method::PATCH, &headers, &CurrentState::tagged(&tag))
        {
            return Err(refused.into());
        }
        product.stock = change.stock;
        Ok(())
    });
    let product = changed.ok_or_else(no_product)??;
    let name = EventName::new("product").map_err(Problem::internal)?;
    // Nobody is told of it any more while the service stops.
    let _ = app.changes.publish(&name, format!("{{\"id\":{id}}}"));
    let etag = product.tag(shop::WHOLE)?.header_value().clone();
    Ok(([(ETAG, etag)], axum::Json(product)))
}

/// All users as a JSON array, NDJSON or CSV, made while they are sent.
pub(super) async fn export(
    State(app): State<App>,
    format: Format,
) -> Result<impl IntoResponse, Problem> {
    let users = futures_util::stream::iter(app.shop.users());
    let rows = Rows::of(users).with_format(format).with_end_marker(true);
    rows.with_attachment("users").respond().await
}

/// Changes as they happen; a browser that was away gets what it missed. One that cannot be served now is told
/// when to come back: a 503 would end its `EventSource` for good.
pub(super) async fn stream(State(app): State<App>, headers: HeaderMap) -> Response {
    let last = last_event_id(&headers);
    match app.changes.subscribe(last.as_deref(), Filter::all()) {
        Ok(subscription) => subscription.into_body().into_response(),
        Err(refused) => refused.into_event_stream().into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Login {
    email: String,
    password: String,
}

/// Six failures an hour and address are one too many; successes are not counted.
pub(super) async fn login(
    State(app): State<App>,
    Json(login): Json<Login>,
) -> Result<StatusCode, Problem> {
    if app.shop.knows(&login.email, &login.password) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let challenge = HeaderValue::from_static("Bearer");
    Err(Problem::unauthorized(
        challenge,
        "The address or the password is wrong.",
    ))
}

fn no_product() -> Problem {
    Problem::not_found("There is no such product.")
}
