//! A look at a socket without reading from it, and without waiting.
//!
//! After a thaw the kernel knows already that a connection is closed, while the task that reads from it has not run
//! yet. Asking the kernel costs less than a microsecond.

use std::io::ErrorKind;
use std::mem::MaybeUninit;

use socket2::SockRef;
use tokio_util::either::Either;

use super::socket::Socket;

/// Another handle of a socket, to look at it while the driver owns it.
#[derive(Debug)]
pub(in crate::postgres) struct Probe(socket2::Socket);

/// What is to be read from an idle socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Silence {
    /// Nothing.
    Kept,
    /// Something.
    Broken,
    /// Its end, or an error.
    Closed,
}

impl Probe {
    /// For that socket; nothing where the system gives no second handle. One is done without then.
    pub(super) fn of(socket: &Socket) -> Option<Self> {
        let socket = match socket {
            Either::Left(tcp) => SockRef::from(tcp).try_clone(),
            Either::Right(unix) => SockRef::from(unix).try_clone(),
        };
        socket.ok().map(Self)
    }

    pub(in crate::postgres) fn look(&self) -> Silence {
        let mut byte = [MaybeUninit::uninit()];
        match self.0.peek(&mut byte) {
            Ok(0) => Silence::Closed,
            Ok(_) => Silence::Broken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Silence::Kept,
            Err(error) if error.kind() == ErrorKind::Interrupted => Silence::Kept,
            Err(_) => Silence::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn the_kernel_knows_before_anybody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let ours = TcpStream::connect(address).await.expect("a connection");
        let (mut theirs, _) = listener.accept().await.expect("a connection");
        let mut ours = Either::Left(ours);
        let probe = Probe::of(&ours).expect("a handle");
        assert_eq!(probe.look(), Silence::Kept);
        theirs.write_all(b"x").await.expect("written");
        // What was sent over the loopback interface is there when the call returns.
        assert_eq!(probe.look(), Silence::Broken);
        assert_eq!(ours.read_u8().await.expect("read"), b'x');
        assert_eq!(probe.look(), Silence::Kept);
        drop(theirs);
        assert_eq!(probe.look(), Silence::Closed);
    }
}
