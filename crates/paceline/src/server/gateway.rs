//! The listener of `[sql]`, from its start to its end.

use std::net::SocketAddr;

use axum::Router;
use paceline_http::client_ip::TrustedProxies;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::connections::{self, Waits};
use super::sql::SqlService;
use super::{ServeError, Unopenable, listen};
use crate::config::Config;

/// Open, and not yet serving.
pub(super) struct Gateway {
    service: SqlService,
    routes: Router,
    listener: TcpListener,
}

impl Gateway {
    /// Connects to the database and opens the listener; nothing without the section.
    pub(super) async fn open(config: &Config) -> Result<Option<Self>, ServeError> {
        let Some(settings) = &config.sql else {
            return Ok(None);
        };
        let service = SqlService::open(settings, config).await;
        let service = service.map_err(|error| ServeError::Open(Unopenable::Sql(error)))?;
        let proxies = TrustedProxies::new(config.server.trusted_proxies.iter().copied());
        let routes = service.routes(settings, proxies);
        let listener = listen(settings.listen, ServeError::SqlListen).await?;
        if !settings.listen.ip().is_loopback() {
            tracing::warn!(
                listen = %settings.listen,
                "[sql] takes passwords without encryption from other machines: put a proxy with TLS before it"
            );
        }
        Ok(Some(Self {
            service,
            routes,
            listener,
        }))
    }

    /// Where it answers.
    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the stop, lets requests finish, and closes the connections to the database.
    pub(super) fn serve(self, stop: &CancellationToken, waits: Waits) -> JoinHandle<()> {
        let stop = stop.clone();
        tokio::spawn(async move {
            connections::serve(self.listener, self.routes, stop, waits).await;
            self.service.close().await;
        })
    }
}
