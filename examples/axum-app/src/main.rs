//! The API of the usual tutorial, handler by handler, on axum and `paceline-http`: see the README beside it.

mod handlers;
mod shop;

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::ConditionalLayer;
use paceline_http::problem::ProblemLayer;
use paceline_http::rate_limit::{PathPrefix, Policy, Quota, RateLimitLayer};
use paceline_http::request_id::RequestIdLayer;
use paceline_http::stream::sse::{Broadcaster, Options};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use self::handlers::{change_product, export, login, posts, product, stream};
use self::shop::Shop;

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
        .layer(RequestIdLayer::new())
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
