//! A client's socket with bounded waits: for its first bytes, and for it to take what is sent.
//!
//! hyper bounds the wait for a request's head only once it knows the protocol, which the first bytes tell, and never
//! bounds a write.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What an HTTP/2 client begins with (RFC 9113, 3.4); the first other byte means HTTP/1.1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pin_project! {
    /// A stream whose reads fail when the client does not say its protocol in time, and whose writes fail when it
    /// takes nothing for too long.
    pub(super) struct Socket<S> {
        #[pin]
        stream: S,
        opening: Option<Opening>,
        stall: Stall,
    }
}

/// The wait for the bytes that tell the protocol.
struct Opening {
    /// How much of the preface has come.
    matched: usize,
    deadline: Pin<Box<Sleep>>,
}

/// How long a write has made no progress.
struct Stall {
    most: Duration,
    /// Made when a write waits for the first time.
    deadline: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl<S> Socket<S> {
    /// `opening` is for the first bytes, `stall` for each piece that is sent.
    pub(super) fn new(stream: S, opening: Duration, stall: Duration) -> Self {
        Self {
            stream,
            opening: Some(Opening {
                matched: 0,
                deadline: Box::pin(sleep(opening)),
            }),
            stall: Stall {
                most: stall,
                deadline: None,
                is_waiting: false,
            },
        }
    }
}

impl Opening {
    /// Whether `bytes`, the next ones, tell the protocol.
    fn is_told_by(&mut self, bytes: &[u8]) -> bool {
        let rest = &PREFACE[self.matched..];
        self.matched += bytes.len().min(rest.len());
        bytes.is_empty() || bytes.len() >= rest.len() || !rest.starts_with(bytes)
    }
}

impl Stall {
    /// What a write that was answered so means, given how long it has been waiting.
    fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_waiting = false;
            return written;
        }
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(self.most)));
        if !self.is_waiting {
            deadline.as_mut().reset(Instant::now() + self.most);
            self.is_waiting = true;
        }
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(out_of_time("the client takes nothing of what is sent")))
    }
}

fn out_of_time(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead> AsyncRead for Socket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        let read = this.stream.poll_read(context, buffer);
        let Some(opening) = this.opening else {
            return read;
        };
        if read.is_pending() {
            ready!(opening.deadline.as_mut().poll(context));
            return Poll::Ready(Err(out_of_time("the client does not say its protocol")));
        }
        if opening.is_told_by(&buffer.filled()[before..]) {
            *this.opening = None;
        }
        read
    }
}

impl<S: AsyncWrite> AsyncWrite for Socket<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = this.stream.poll_write(context, bytes);
        this.stall.judge(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = this.stream.poll_write_vectored(context, slices);
        this.stall.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let flushed = this.stream.poll_flush(context);
        this.stall.judge(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let shut = this.stream.poll_shutdown(context);
        this.stall.judge(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    use super::*;

    const OPENING: Duration = Duration::from_millis(200);
    const STALL: Duration = Duration::from_millis(100);

    fn pair() -> (DuplexStream, Socket<DuplexStream>) {
        let (client, server) = duplex(100);
        (client, Socket::new(server, OPENING, STALL))
    }

    #[tokio::test]
    async fn a_client_that_does_not_say_its_protocol_is_given_up() {
        for sent in [&b""[..], b"PRI *", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            let (mut client, mut socket) = pair();
            client.write_all(sent).await.unwrap();
            let start = Instant::now();
            let mut all = Vec::new();
            let refused = socket.read_to_end(&mut all).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::TimedOut, "{sent:?}");
            assert_eq!(all, sent);
            assert!(start.elapsed() >= OPENING);
        }
    }

    #[tokio::test]
    async fn once_the_protocol_is_told_the_wait_is_others_business() {
        for pieces in [
            &[&b"G"[..]][..],
            &[b"PO"],
            &[b"PRI * ", b"X"],
            &[b"PRI * HTTP/2.0\r\n", b"\r\nSM\r\n\r\n"],
        ] {
            let (mut client, mut socket) = pair();
            for piece in pieces {
                client.write_all(piece).await.unwrap();
                let mut read = vec![0; piece.len()];
                socket.read_exact(&mut read).await.unwrap();
                assert_eq!(read, *piece);
            }
            let more = timeout(OPENING * 2, socket.read_u8()).await;
            assert!(more.is_err(), "it waits on: {more:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_and_one_that_reads_is_not() {
        let (mut client, mut socket) = pair();
        let reading = tokio::spawn(async move {
            client.read_exact(&mut [0; 10_000]).await.unwrap();
            client
        });
        socket.write_all(&[7; 10_000]).await.unwrap();
        let _client = reading.await.unwrap();
        let start = Instant::now();
        let refused = socket.write_all(&[7; 200]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= STALL);
    }
}
