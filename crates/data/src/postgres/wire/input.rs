//! What the server sent, message by message.

use std::io;

use bytes::{Buf as _, BytesMut};
use postgres_protocol::message::backend::{Header, Message};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Kind and length.
const HEAD: usize = 5;
/// Room for each read: a page of a list and its surroundings.
const READ: usize = 16 * 1024;
/// The most room made before bytes come, however long a message says it is.
const AHEAD: usize = 1024 * 1024;
/// A larger buffer is not kept beyond its answer.
const KEPT: usize = 256 * 1024;

/// Bytes that came and are not used yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: BytesMut,
    /// The length of the message that is looked at, its head included.
    present: usize,
}

impl Input {
    /// The kind of the message at the front; `None` when not all of it has come.
    pub(super) fn kind(&mut self) -> io::Result<Option<u8>> {
        let Some(header) = Header::parse(&self.bytes)? else {
            self.present = HEAD;
            return Ok(None);
        };
        let length = usize::try_from(header.len()).map_err(io::Error::other)?;
        // The length counts itself, not the kind.
        self.present = length + 1;
        Ok((self.bytes.len() >= self.present).then_some(header.tag()))
    }

    /// What the message at the front says.
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[HEAD..self.present]
    }

    /// Done with the message at the front.
    pub(super) fn skip(&mut self) {
        self.bytes.advance(self.present);
    }

    /// Takes the message at the front.
    pub(super) fn take(&mut self) -> io::Result<Message> {
        Message::parse(&mut self.bytes)?.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Reads more; the end of the stream is an error.
    pub(super) async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        let missing = self.present.saturating_sub(self.bytes.len());
        self.bytes.reserve(missing.clamp(READ, AHEAD));
        if stream.read_buf(&mut self.bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Gives memory back that a large answer took.
    pub(super) fn shrink(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            self.bytes = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("small").to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    #[tokio::test]
    async fn messages_are_whole_however_they_are_cut() {
        let sent = [
            message(b'2', b""),
            message(b'D', &[7; 40]),
            message(b'Z', b"I"),
        ]
        .concat();
        for size in 1..sent.len() {
            let (mut input, mut seen) = (Input::default(), Vec::new());
            for mut piece in sent.chunks(size) {
                input.fill(&mut piece).await.expect("there is more");
                while let Some(kind) = input.kind().expect("well formed") {
                    seen.push((kind, input.body().len()));
                    input.skip();
                }
            }
            assert_eq!(seen, [(b'2', 0), (b'D', 40), (b'Z', 1)], "pieces of {size}");
            assert!(input.is_empty());
        }
    }

    #[tokio::test]
    async fn the_end_and_a_length_that_cannot_be_are_errors() {
        let mut input = Input::default();
        let ended = input.fill(&mut &b""[..]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
        input.fill(&mut &b"D\0\0\0\x03"[..]).await.expect("bytes");
        assert!(input.kind().is_err());
    }
}
