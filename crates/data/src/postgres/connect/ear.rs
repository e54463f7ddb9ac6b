//! Overhears the process id that a server gives a new connection.
//!
//! The server's own id is also what `pg_backend_pid()` answers; a pooler makes one up, so that the two differ. The
//! driver keeps the id to itself, hence this.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Type and length of a message.
const HEAD: usize = 5;

/// The message that holds the process id, and where it ends in it.
const KEY_DATA: u8 = b'K';
const PROCESS: usize = HEAD + 4;

/// After this one, and after an error, no key data comes.
const READY: u8 = b'Z';
const ERROR: u8 = b'E';

/// Where the id is put when it was heard.
pub(super) type Heard = Arc<OnceLock<i32>>;

/// Reads the messages of a connection that begins.
#[derive(Debug)]
struct Ear {
    heard: Heard,
    /// The part of a message that came so far, of those that are looked at.
    part: Vec<u8>,
    /// Bytes of the present message that are of no interest.
    skip: usize,
    done: bool,
}

impl Ear {
    fn new(heard: Heard) -> Self {
        Self {
            heard,
            part: Vec::with_capacity(PROCESS),
            skip: 0,
            done: false,
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while !self.done && !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.part.push(bytes[0]);
            bytes = &bytes[1..];
            self.look();
        }
    }

    /// Decides as soon as enough of the message is there.
    fn look(&mut self) {
        let Some((head, rest)) = self.part.split_first_chunk::<HEAD>() else {
            return;
        };
        match head[0] {
            READY | ERROR => self.done = true,
            KEY_DATA => {
                if let Ok(process) = rest.try_into() {
                    // It is told once; a second time nobody would look.
                    let _ = self.heard.set(i32::from_be_bytes(process));
                    self.done = true;
                }
            }
            _ => {
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
                // The length counts itself.
                self.skip = usize::try_from(length)
                    .unwrap_or(0)
                    .saturating_sub(HEAD - 1);
                self.part.clear();
            }
        }
    }
}

/// A stream that is listened to, until the beginning is over.
#[derive(Debug)]
pub(super) struct Overheard<S> {
    inner: S,
    ear: Option<Ear>,
}

impl<S> Overheard<S> {
    pub(super) fn new(inner: S, heard: Heard) -> Self {
        let ear = Some(Ear::new(heard));
        Self { inner, ear }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Some(ear) = &mut self.ear {
            ear.hear(&buffer.filled()[before..]);
            if ear.done {
                self.ear = None;
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Overheard<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

/// Makes TLS streams that are listened to inside the encryption.
pub(super) struct HearInside<T> {
    pub(super) inner: T,
    pub(super) heard: Heard,
}

impl<S, T> TlsConnect<S> for HearInside<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
    T::Stream: 'static,
    T::Error: 'static,
{
    type Stream = Overheard<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connecting = self.inner.connect(stream);
        Box::pin(async move { Ok(Overheard::new(connecting.await?, self.heard)) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("small").to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    /// What is heard when the bytes come in pieces of `size`.
    fn heard(bytes: &[u8], size: usize) -> Option<i32> {
        let mut ear = Ear::new(Heard::default());
        bytes.chunks(size).for_each(|piece| ear.hear(piece));
        ear.heard.get().copied()
    }

    #[test]
    fn the_process_is_heard_however_the_bytes_are_cut() {
        let key = [4321_i32.to_be_bytes(), 99_i32.to_be_bytes()].concat();
        let bytes = [
            message(b'R', &[0; 4]),
            message(b'S', b"K\0Z\0"),
            message(b'N', &[b'K'; 300]),
            message(b'K', &key),
            message(b'Z', b"I"),
            message(b'K', &[0; 8]),
        ]
        .concat();
        for size in 1..bytes.len() {
            assert_eq!(heard(&bytes, size), Some(4321), "pieces of {size}");
        }
    }

    #[test]
    fn nothing_is_heard_after_the_beginning() {
        for end in [message(b'Z', b"I"), message(b'E', b"SFATAL\0\0")] {
            let bytes = [end, message(b'K', &[1; 8])].concat();
            assert_eq!(heard(&bytes, 3), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1..20_usize) {
            let _ = heard(&bytes, size);
        }
    }
}
