//! Statements over HTTP, in the protocol of Neon's serverless driver (`POST /sql`), over a `PostgreSQL` server of any
//! kind. The protocol's facts: docs/sql-endpoint.md.
//!
//! Whoever knows the password or the token runs what the role may run: this is no way in for the public. It answers on a
//! listener of its own, and the host in a connection string means nothing: there is one database.

mod array;
mod cors;
mod credentials;
mod failure;
mod guesses;
mod output;
mod parameter;
mod request;
mod route;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use paceline_data::pool::PoolOptions;
use paceline_data::postgres::text::{TextDatabase, TextOpenError, TextOptions};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::rate_limit::SystemClock;

use crate::config::{Config, Sql};
use credentials::Credentials;
use guesses::Guesses;
use route::Gateway;

/// How long closing may take: connections are closed politely in it.
const CLOSE: Duration = Duration::from_millis(500);

/// The open database, and who may use it.
#[derive(Debug, Clone)]
pub(super) struct SqlService(Arc<Gateway>);

impl SqlService {
    /// Connects, and looks at the role.
    ///
    /// # Errors
    /// When the server cannot be reached, or the address is not one for statements of others.
    pub(super) async fn open(settings: &Sql, config: &Config) -> Result<Self, TextOpenError> {
        let mut pool = PoolOptions::default();
        if let Some(connections) = settings.connections {
            pool = pool.size(connections);
        }
        let options = TextOptions::new((*settings.url).clone())
            .pool(pool)
            .statement_timeout(settings.statement_timeout)
            .max_bytes(settings.max_response)
            .max_rows(settings.max_rows);
        Ok(Self(Arc::new(Gateway {
            database: TextDatabase::open(options).await?,
            credentials: Credentials::new(settings),
            guesses: Guesses::new(
                settings.max_guesses,
                settings.guess_window,
                config.limit_settings.ipv6_prefix,
            ),
            clock: SystemClock::new(),
            max_request: settings.max_request,
            max_response: settings.max_response,
            body_timeout: config.server.body_timeout,
        })))
    }

    /// The route, and the answers to preflights where pages of other origins may use it.
    ///
    /// `proxies` are believed whom a request is from.
    pub(super) fn routes(&self, settings: &Sql, proxies: TrustedProxies) -> Router {
        let route = post(route::sql).with_state(Arc::clone(&self.0));
        let router = Router::new()
            .route("/sql", route)
            .fallback(async || failure::not_found())
            .method_not_allowed_fallback(async || failure::wrong_method());
        let router = router.layer(ClientAddressLayer::new(proxies));
        cors::allow(router, &settings.allowed_origins)
    }

    /// Closes its connections.
    pub(super) async fn close(&self) {
        self.0.database.close(Instant::now() + CLOSE).await;
    }
}
