//! A stream with two owners: the driver, which says what has to be said on it, and us, who go on with it and say when it
//! ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::either::Either;

use super::socket::Socket;

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// One handle of it.
#[derive(Clone)]
pub(in crate::postgres) struct Common(Arc<Mutex<Either<Socket, Encrypted>>>);

impl Common {
    pub(super) fn new(stream: Either<Socket, Encrypted>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    fn lock(&self) -> MutexGuard<'_, Either<Socket, Encrypted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Common {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(context, buffer)
    }
}

impl AsyncWrite for Common {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(context)
    }

    /// Nothing: the driver does not decide when the stream ends.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Common {
    fn channel_binding(&self) -> ChannelBinding {
        match &*self.lock() {
            Either::Left(_) => ChannelBinding::none(),
            Either::Right(encrypted) => encrypted.channel_binding(),
        }
    }
}

/// Where the handle of an encrypted stream is put.
pub(super) type Kept = Arc<Mutex<Option<Common>>>;

/// Makes encrypted streams, and keeps a handle of each.
pub(super) struct Keep<T> {
    pub(super) inner: T,
    pub(super) kept: Kept,
}

impl<T> TlsConnect<Socket> for Keep<T>
where
    T: TlsConnect<Socket, Stream = Encrypted>,
    T::Future: Send + 'static,
    T::Error: 'static,
{
    type Stream = Common;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Common, T::Error>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        let connecting = self.inner.connect(stream);
        Box::pin(async move {
            let stream = Common::new(Either::Right(connecting.await?));
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(stream.clone());
            Ok(stream)
        })
    }
}
