//! The socket below a connection.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout_at;
use tokio_util::either::Either;

use super::address::Host;

/// A peer that is silent is asked after 30 s, again every 10 s, and given up after the third time.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// What was sent and is not acknowledged after this ends the connection; the system's own patience is 15 minutes.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// A socket to a server.
pub(super) type Socket = Either<TcpStream, UnixStream>;

/// Connects before `deadline`. Where a name has several addresses, none of them uses up the time of the others.
pub(super) async fn connect(host: &Host, deadline: Instant) -> io::Result<Socket> {
    match host {
        Host::Socket(folder, port) => unix(folder, *port, deadline).await.map(Either::Right),
        Host::Tcp(name, port) => tcp(name, *port, deadline).await.map(Either::Left),
    }
}

async fn unix(folder: &Path, port: u16, deadline: Instant) -> io::Result<UnixStream> {
    let path = folder.join(format!(".s.PGSQL.{port}"));
    timeout_at(deadline.into(), UnixStream::connect(path))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

pub(crate) async fn tcp(name: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let found = timeout_at(deadline.into(), lookup_host((name, port)))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let addresses: Vec<_> = found.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let until = share(Instant::now(), deadline, addresses.len() - index);
        match timeout_at(until.into(), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                set_options(&stream)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// Until when the first of `many` may use up its share of the time that is left.
fn share(now: Instant, deadline: Instant, many: usize) -> Instant {
    let many = u32::try_from(many.max(1)).unwrap_or(u32::MAX);
    now + deadline.saturating_duration_since(now) / many
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_share_what_is_left() {
        let now = Instant::now();
        let deadline = now + Duration::from_secs(3);
        assert_eq!(share(now, deadline, 3), now + Duration::from_secs(1));
        assert_eq!(share(now, deadline, 1), deadline);
        assert_eq!(share(deadline, now, 2), deadline);
    }

    #[tokio::test]
    async fn a_connection_notices_a_peer_that_is_gone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let deadline = Instant::now() + Duration::from_secs(20);
        let stream = tcp("localhost", port, deadline)
            .await
            .expect("a connection");
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_keepalive_time().expect("set"), KEEPALIVE_IDLE);
        assert_eq!(
            socket.tcp_keepalive_interval().expect("set"),
            KEEPALIVE_INTERVAL
        );
        assert_eq!(
            socket.tcp_keepalive_retries().expect("set"),
            KEEPALIVE_RETRIES
        );
        #[cfg(target_os = "linux")]
        assert_eq!(
            socket.tcp_user_timeout().expect("set"),
            Some(UNACKNOWLEDGED)
        );
        assert!(stream.nodelay().expect("set"));
    }
}
