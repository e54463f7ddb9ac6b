//! The same service on a plain server, or behind the Lambda Web Adapter.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

use crate::body::Body;
use crate::invocation::ClientAddress;
use crate::runtime::{Stop, stopped};
use crate::{BoxError, RunError};

/// How long a client may take for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long requests under way get once the process is to end.
const DRAIN: Duration = Duration::from_secs(10);
/// After a failed accept (too many open files), so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP/1.1 and HTTP/2 with prior knowledge on `address` until `stop`.
pub(crate) async fn serve<S, B>(
    service: S,
    address: SocketAddr,
    mut stop: Stop,
) -> Result<(), RunError>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| RunError::Listen(address, error))?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "listening");
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = accept(&listener) => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = PerConnection {
            service: service.clone(),
            peer,
        };
        let connection = builder
            .serve_connection(TokioIo::new(socket), connection)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still under way at the end");
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> std::io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = listener.accept().await?;
    socket.set_nodelay(true)?;
    Ok((socket, peer))
}

/// The service, and who its connection is with.
struct PerConnection<S> {
    service: S,
    peer: SocketAddr,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for PerConnection<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::from);
        request
            .extensions_mut()
            .insert(ClientAddress(self.peer.ip()));
        let mut service = self.service.clone();
        Box::pin(async move {
            std::future::poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        })
    }
}
