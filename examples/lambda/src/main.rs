//! An axum router as a program: on a server it listens, behind the Lambda Web Adapter too.

mod routes;

use std::net::{Ipv4Addr, SocketAddr};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(8080)));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes::routes()).await
}
