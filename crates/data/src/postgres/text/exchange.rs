//! Messages to the server and its answers to them, up to where it is ready again.

use std::io;

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend::{self, BindError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::error::TooLarge;
use super::refusal::Refusal;
use super::result::TextResult;

/// What a server may send before the reading ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) bytes: usize,
    pub(super) rows: usize,
}

/// What a server said.
#[derive(Debug)]
pub(super) struct Answered {
    /// The results of the statements that were done.
    pub(super) results: Vec<TextResult>,
    /// What was wrong with the next one, if something was.
    pub(super) refusal: Option<Refusal>,
    /// Where the session stands.
    pub(super) state: State,
}

/// Where a session stands when the server is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// In no transaction.
    Idle,
    /// In a transaction, which may have failed already.
    InTransaction,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Stopped {
    Lost(io::Error),
    TooLarge(TooLarge),
    /// We do not go on with it.
    Refused(Refusal),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// Messages for statements that run one after the other; one that fails ends them all.
#[derive(Debug, Default)]
pub(super) struct Messages(BytesMut);

impl Messages {
    /// Adds a statement without a name. Its values go as text, of the types the server chooses; its rows come as text.
    ///
    /// # Errors
    /// When the statement or a value cannot be sent: one with a zero byte, say.
    pub(super) fn add(&mut self, sql: &str, values: &[Option<String>]) -> Result<(), Refusal> {
        let unsendable = |error: io::Error| Refusal::ours("22021", &error.to_string());
        let out = &mut self.0;
        if values.len() > usize::from(u16::MAX) {
            let message = "a statement may have 65535 values";
            return Err(Refusal::ours("54000", message));
        }
        if values.iter().flatten().any(|value| value.contains('\0')) {
            return Err(Refusal::ours("22021", "a value holds a zero byte"));
        }
        frontend::parse("", sql, [], out).map_err(unsendable)?;
        let text = |value: &Option<String>, out: &mut BytesMut| match value {
            None => Ok(IsNull::Yes),
            Some(value) => {
                out.extend_from_slice(value.as_bytes());
                Ok(IsNull::No)
            }
        };
        frontend::bind("", "", [], values, text, [], out).map_err(|error| match error {
            BindError::Serialization(error) => unsendable(error),
            BindError::Conversion(error) => unsendable(io::Error::other(error)),
        })?;
        frontend::describe(b'P', "", out).map_err(unsendable)?;
        frontend::execute("", 0, out).map_err(unsendable)
    }

    /// The last message: the server answers when it has come so far.
    pub(super) fn sync(mut self) -> BytesMut {
        frontend::sync(&mut self.0);
        self.0
    }
}

/// Sends messages and reads the answers at the same time: neither side waits for the other to read.
pub(super) async fn exchange<S>(
    stream: &S,
    received: &mut BytesMut,
    messages: &[u8],
    most: Most,
) -> Result<Answered, Stopped>
where
    S: AsyncRead + AsyncWrite + Clone + Unpin,
{
    let mut out = stream.clone();
    let sending = async {
        out.write_all(messages).await?;
        out.flush().await?;
        Ok(())
    };
    let reading = read(stream.clone(), received, most);
    let ((), answered) = tokio::try_join!(sending, reading)?;
    Ok(answered)
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    received: &mut BytesMut,
    most: Most,
) -> Result<Answered, Stopped> {
    let (mut bytes, mut rows) = (0, 0);
    let mut results = Vec::new();
    let mut current = TextResult::default();
    let mut refusal = None;
    loop {
        let Some(message) = Message::parse(received)? else {
            if stream.read_buf(received).await? == 0 {
                return match refusal.filter(Refusal::is_fatal) {
                    // It said why before it went.
                    Some(refusal) => Err(Stopped::Lost(io::Error::other(refusal))),
                    None => Err(Stopped::Lost(io::ErrorKind::UnexpectedEof.into())),
                };
            }
            continue;
        };
        match message {
            Message::RowDescription(body) => current.describe(&body)?,
            Message::DataRow(body) => {
                bytes += current.add(&body)?;
                rows += 1;
                if bytes > most.bytes {
                    return Err(Stopped::TooLarge(TooLarge::Bytes(most.bytes)));
                }
                if rows > most.rows {
                    return Err(Stopped::TooLarge(TooLarge::Rows(most.rows)));
                }
            }
            Message::CommandComplete(body) => {
                body.tag()?.clone_into(&mut current.tag);
                results.push(std::mem::take(&mut current));
            }
            Message::EmptyQueryResponse => results.push(std::mem::take(&mut current)),
            Message::ErrorResponse(body) => refusal = Some(Refusal::read(&body)?),
            Message::CopyInResponse(_) | Message::CopyOutResponse(_) => {
                let message = "COPY has no place in a request and its answer";
                return Err(Stopped::Refused(Refusal::ours("0A000", message)));
            }
            Message::ReadyForQuery(body) => {
                let state = match body.status() {
                    b'I' => State::Idle,
                    _ => State::InTransaction,
                };
                return Ok(Answered {
                    results,
                    refusal,
                    state,
                });
            }
            // What was parsed and bound, notices, settings that changed, notifications.
            _ => {}
        }
    }
}
