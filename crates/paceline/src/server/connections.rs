//! The accept loop: HTTP/1.1 and HTTP/2 on one listener, with every wait bounded and a drain at the end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::socket::Socket;

/// Connections open at the same time; the next one waits in the kernel's queue.
const MAX_CONNECTIONS: usize = 16_384;
/// Request heads larger than this are refused with 431, in both protocols.
const MAX_HEAD: u32 = 64 * 1024;
/// Requests of one HTTP/2 connection that may run at the same time.
const MAX_STREAMS: u32 = 256;
/// After a failed accept (too many open files), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection waits for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// For a request's head, the first and each that follows.
    pub(super) head: Duration,
    /// For a client that takes nothing of what is sent.
    pub(super) stall: Duration,
    /// For requests under way, once the server stops.
    pub(super) drain: Duration,
}

/// Serves `service` on `listener` until `stop` fires, then lets requests finish for at most `waits.drain`.
///
/// Returns how many connections were still open when the deadline passed; they are dropped.
pub(super) async fn serve<S>(
    listener: TcpListener,
    service: S,
    stop: CancellationToken,
    waits: Waits,
) -> usize
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let builder = Arc::new(protocol(waits.head));
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let answer = PerConnection {
            service: service.clone(),
            peer,
        };
        let socket = Socket::new(stream, waits.head, waits.stall);
        let connection = builder
            .serve_connection(TokioIo::new(socket), answer)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    let open = graceful.count();
    match tokio::time::timeout(waits.drain, graceful.shutdown()).await {
        Ok(()) => 0,
        Err(_) => open,
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, slot))
}

fn protocol(head: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(MAX_HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The shared service plus what only this connection knows: its peer.
#[derive(Clone)]
struct PerConnection<S> {
    service: S,
    peer: SocketAddr,
}

impl<S> hyper::service::Service<Request<Incoming>> for PerConnection<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> S::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        // Every layer of ours is always ready, so the clone needs no `poll_ready`.
        self.service.clone().call(request)
    }
}
