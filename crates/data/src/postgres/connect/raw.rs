//! A connection whose messages we write ourselves: for trials with statement names that the driver would choose, and
//! that must not be those of anybody else.

use std::io;
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::fallible_iterator::FallibleIterator as _;

use super::begun::Begun;
use super::common::Common;
use super::error::ConnectError;
use super::manager::PostgresManager;

/// The server said no: its code, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct Refusal {
    pub(in crate::postgres) state: String,
    pub(in crate::postgres) message: String,
}

/// What became of a statement: the first column of its last row, or the server's refusal. The outer error is about
/// the connection.
pub(in crate::postgres) type Answer = io::Result<Result<Option<String>, Refusal>>;

/// A connection that has begun.
pub(in crate::postgres) struct RawConnection {
    stream: Common,
    received: BytesMut,
}

impl RawConnection {
    /// To the first host of the manager's address that takes one.
    pub(in crate::postgres) async fn open(
        manager: &PostgresManager,
        deadline: Instant,
    ) -> Result<Self, ConnectError> {
        let begun = Begun::open(manager, deadline).await?;
        Ok(Self {
            stream: begun.stream,
            received: BytesMut::new(),
        })
    }

    /// Prepares a statement under that name.
    pub(in crate::postgres) async fn prepare(&mut self, name: &str, statement: &str) -> Answer {
        let mut out = BytesMut::new();
        frontend::parse(name, statement, [], &mut out)?;
        frontend::sync(&mut out);
        self.ask(&out).await
    }

    /// Runs the statement of that name.
    pub(in crate::postgres) async fn run(&mut self, name: &str) -> Answer {
        let mut out = BytesMut::new();
        let nothing: [i16; 0] = [];
        let values: [(); 0] = [];
        frontend::bind(
            "",
            name,
            nothing,
            values,
            |(), _| unreachable!(),
            [0],
            &mut out,
        )
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        frontend::execute("", 0, &mut out)?;
        frontend::sync(&mut out);
        self.ask(&out).await
    }

    /// Runs statements without preparing anything.
    pub(in crate::postgres) async fn simple(&mut self, statements: &str) -> Answer {
        let mut out = BytesMut::new();
        frontend::query(statements, &mut out)?;
        self.ask(&out).await
    }

    /// Takes leave.
    pub(in crate::postgres) async fn close(mut self) {
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        // It is closed either way.
        let _ = self.stream.write_all(&out).await;
    }

    /// Sends messages and reads until the server is ready again.
    async fn ask(&mut self, messages: &[u8]) -> Answer {
        self.stream.write_all(messages).await?;
        let mut value = None;
        let mut refusal = None;
        loop {
            match Message::parse(&mut self.received)? {
                Some(Message::ReadyForQuery(_)) => break,
                Some(Message::ErrorResponse(body)) => refusal = Some(read_refusal(&body)?),
                Some(Message::DataRow(body)) => value = first_column(&body)?,
                Some(_) => {}
                None => {
                    if self.stream.read_buf(&mut self.received).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
        Ok(refusal.map_or(Ok(value), Err))
    }
}

fn read_refusal(body: &ErrorResponseBody) -> io::Result<Refusal> {
    let mut refusal = Refusal {
        state: String::new(),
        message: String::new(),
    };
    let mut fields = body.fields();
    while let Some(field) = fields.next()? {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => refusal.state = value(),
            b'M' => refusal.message = value(),
            _ => {}
        }
    }
    Ok(refusal)
}

fn first_column(body: &DataRowBody) -> io::Result<Option<String>> {
    let first = body.ranges().next()?.flatten();
    Ok(first.map(|range| String::from_utf8_lossy(&body.buffer()[range]).into_owned()))
}
