//! The API of the usual tutorial, handler by handler, on axum and `paceline-http`: see the README beside it.

mod shop;

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::{ConditionalLayer, CurrentState, Decision, evaluate};
use paceline_http::fields::{Fields, Selected};
use paceline_http::page::{Page, PageRequest};
use paceline_http::problem::extract::{Json, Path};
use paceline_http::problem::{Problem, ProblemLayer};
use paceline_http::rate_limit::{PathPrefix, Policy, Quota, RateLimitLayer};
use paceline_http::stream::rows::{Format, Rows};
use paceline_http::stream::sse::{Broadcaster, EventName, Filter, Options, last_event_id};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use self::shop::{Post, Product, Shop};

#[derive(Clone)]
struct App {
    shop: Arc<Shop>,
    changes: Broadcaster,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("http://{}", listener.local_addr()?);
    let changes = Broadcaster::new(Options::default());
    let shop = Arc::new(Shop::default());
    let service = router(App {
        shop,
        changes: changes.clone(),
    })?
    .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            let _ = tokio::signal::ctrl_c().await;
            // Event streams never end by themselves: their clients are told when to come back.
            changes.drain();
        })
        .await?;
    Ok(())
}

fn router(app: App) -> Result<Router, Box<dyn Error>> {
    let quota = |most, window| Quota::new(NonZeroU32::new(most).expect("not zero"), window);
    let api = Policy::new("api", quota(100, Duration::from_mins(15))?)?
        .with_path(PathPrefix::new("/api/")?);
    let logins = Policy::new("login", quota(5, Duration::from_hours(1))?)?
        .with_path(PathPrefix::new("/api/auth/login")?)
        .with_skip_successful(true)
        .with_message("Too many failed logins. Wait as long as Retry-After says.");
    // Outermost first. Preflights are not counted, and what is refused costs nothing further in.
    let layers = ServiceBuilder::new()
        .layer(paceline_http::cors::layer(["http://localhost:5173"])?)
        .layer(ClientAddressLayer::new(TrustedProxies::none()))
        .layer(RateLimitLayer::new([api, logins]))
        .layer(ProblemLayer::new())
        .layer(CompressionLayer::default())
        .layer(ConditionalLayer::new());
    Ok(Router::new()
        .route("/api/posts", get(posts))
        .route("/api/products/{id}", get(product).patch(change_product))
        .route("/api/export/users", get(export))
        .route("/api/stream", get(stream))
        .route("/api/auth/login", post(login))
        .layer(layers)
        .with_state(app))
}

/// A page of posts, each with the fields that were asked for. Its tag is made of its bytes, by a layer.
async fn posts(
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
async fn product(
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
struct Change {
    stock: u32,
}

/// Changes a product that is still the one the client knows, and tells everybody who listens.
async fn change_product(
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
async fn export(State(app): State<App>, format: Format) -> Result<impl IntoResponse, Problem> {
    let users = futures_util::stream::iter(app.shop.users());
    let rows = Rows::of(users).with_format(format).with_end_marker(true);
    rows.with_attachment("users").respond().await
}

/// Changes as they happen; a browser that was away gets what it missed.
async fn stream(State(app): State<App>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    let last = last_event_id(&headers);
    Ok(app
        .changes
        .subscribe(last.as_deref(), Filter::all())?
        .into_body())
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// Six failures an hour and address are one too many; successes are not counted.
async fn login(State(app): State<App>, Json(login): Json<Login>) -> Result<StatusCode, Problem> {
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
