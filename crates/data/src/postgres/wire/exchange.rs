//! One statement at a time, and its rows.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::BytesMut;
use postgres_protocol::message::backend::{self, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_postgres::fallible_iterator::FallibleIterator as _;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::input::Input;
use super::messages::{self, Name};
use super::row::{Places, WireRow, places};
use super::statements::{Known, Statements};
use crate::postgres::connect::StatementMode;
use crate::postgres::row::Reader;
use crate::postgres::text::Refusal;
use crate::statement::Statement;

/// The stream of a connection, while nobody else reads from it.
pub(in crate::postgres) struct Wire<S> {
    stream: S,
    input: Input,
    output: BytesMut,
    statements: Statements,
    places: Places,
    /// Whether something may still run on it, or what comes next is not known.
    is_busy: bool,
}

/// Rows of a statement, as fast as they are taken. They must be taken to the end before the next statement.
pub(in crate::postgres) struct Rows<'a, S> {
    wire: &'a mut Wire<S>,
    readers: Arc<[Reader]>,
    /// Whether a row is out: it is at the front of what came.
    has_row: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(in crate::postgres) fn new(stream: S) -> Self {
        Self {
            stream,
            input: Input::default(),
            output: BytesMut::new(),
            statements: Statements::default(),
            places: Places::new(),
            is_busy: false,
        }
    }

    /// Whether it was left in the middle of an answer.
    pub(in crate::postgres) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins a statement.
    ///
    /// # Errors
    /// When the server refuses it before its first row; the connection is as good as before then. When the connection
    /// is lost.
    pub(in crate::postgres) async fn ask(
        &mut self,
        statement: &Statement,
        mode: StatementMode,
    ) -> Result<Rows<'_, S>, Failure> {
        let begun = match mode {
            StatementMode::Unnamed => self.begin_new(statement, "").await,
            StatementMode::Named => match self.begin_named(statement).await {
                Err(failure) if failure.is_stale() => {
                    self.statements.forget(&statement.sql);
                    self.begin_named(statement).await
                }
                outcome => outcome,
            },
        };
        let readers = begun?;
        Ok(Rows {
            wire: self,
            readers,
            has_row: false,
        })
    }

    /// A round trip that leaves no trace.
    pub(in crate::postgres) async fn check(&mut self) -> Result<(), Failure> {
        self.output.clear();
        frontend::sync(&mut self.output);
        self.send().await?;
        loop {
            match self.next().await? {
                backend::READY_FOR_QUERY_TAG => {
                    self.ready();
                    return Ok(());
                }
                backend::ERROR_RESPONSE_TAG => return Err(self.refused().await),
                kind => self.pass(kind)?,
            }
        }
    }

    /// Takes leave of the server. Waits for nothing: a socket that takes no more bytes has no use for these.
    pub(in crate::postgres) fn leave(&mut self) {
        if self.is_busy {
            return;
        }
        let mut farewell = BytesMut::new();
        frontend::terminate(&mut farewell);
        let context = &mut Context::from_waker(Waker::noop());
        let mut stream = Pin::new(&mut self.stream);
        // It is closed either way.
        let _ = stream.as_mut().poll_write(context, &farewell);
        let _ = stream.poll_flush(context);
    }

    async fn begin_named(&mut self, statement: &Statement) -> Result<Arc<[Reader]>, Failure> {
        if let Some(known) = self.statements.get(&statement.sql) {
            self.begin(Name::Known(&known.name), statement).await?;
            return Ok(known.readers);
        }
        let name = self.statements.new_name();
        let begun = self.begin_new(statement, &name).await;
        match &begun {
            Ok(readers) => {
                let readers = Arc::clone(readers);
                let known = Known { name, readers };
                self.statements.keep(&statement.sql, known);
            }
            // It may be there all the same: what was refused can be a value.
            Err(_) => self.statements.give_up(name),
        }
        begun
    }

    async fn begin_new(
        &mut self,
        statement: &Statement,
        name: &str,
    ) -> Result<Arc<[Reader]>, Failure> {
        let readers = self.begin(Name::New(name), statement).await?;
        Ok(readers.unwrap_or_default())
    }

    /// Sends a statement, and reads up to where its rows begin; answers how they are read, if the server was asked.
    async fn begin(
        &mut self,
        name: Name<'_>,
        statement: &Statement,
    ) -> Result<Option<Arc<[Reader]>>, Failure> {
        self.output.clear();
        for name in self.statements.given_up() {
            messages::forget(&name, &mut self.output)?;
        }
        messages::run(name, &statement.sql, &statement.values, &mut self.output)?;
        self.send().await?;
        let mut readers = None;
        loop {
            match self.next().await? {
                backend::BIND_COMPLETE_TAG => {
                    self.input.skip();
                    return Ok(readers);
                }
                backend::ROW_DESCRIPTION_TAG => readers = Some(readers_of(self.input.take()?)?),
                backend::PARSE_COMPLETE_TAG
                | backend::PARAMETER_DESCRIPTION_TAG
                | backend::NO_DATA_TAG
                | backend::CLOSE_COMPLETE_TAG => self.input.skip(),
                backend::ERROR_RESPONSE_TAG => return Err(self.refused().await),
                kind => self.pass(kind)?,
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        self.is_busy = true;
        self.stream.write_all(&self.output).await?;
        self.stream.flush().await
    }

    /// The kind of the next message, once all of it is there.
    async fn next(&mut self) -> io::Result<u8> {
        loop {
            if let Some(kind) = self.input.kind()? {
                return Ok(kind);
            }
            self.input.fill(&mut self.stream).await?;
        }
    }

    /// Passes over what a server may say at any time: notices, settings that changed, notifications.
    fn pass(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            backend::NOTICE_RESPONSE_TAG
            | backend::PARAMETER_STATUS_TAG
            | backend::NOTIFICATION_RESPONSE_TAG => {
                self.input.skip();
                Ok(())
            }
            kind => {
                let message = format!("the server sent a message of kind {kind} out of turn");
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    /// Reads a refusal, and on to where the server is ready. A server that ends the session says no more.
    async fn refused(&mut self) -> Failure {
        let refusal = match self.input.take() {
            Ok(Message::ErrorResponse(body)) => Refusal::read(&body),
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) => Err(error),
        };
        let refusal = match refusal {
            Ok(refusal) => refusal,
            Err(error) => return error.into(),
        };
        loop {
            match self.next().await {
                Ok(backend::READY_FOR_QUERY_TAG) => {
                    self.ready();
                    break;
                }
                Ok(_) => self.input.skip(),
                // It stays busy, and is not used again.
                Err(_) => break,
            }
        }
        refusal.into()
    }

    /// The server is ready for the next statement.
    fn ready(&mut self) {
        self.input.skip();
        while let Ok(Some(kind)) = self.input.kind() {
            if self.pass(kind).is_err() {
                break;
            }
        }
        // Half a message would be taken for the beginning of an answer by whoever reads next.
        self.is_busy = !self.input.is_empty();
        self.input.shrink();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Rows<'_, S> {
    /// How many bytes have come that no row was taken of: what is written of them is about as long.
    pub(in crate::postgres) fn ahead(&self) -> usize {
        self.wire.input.len()
    }

    /// The next row; `None` when there is none, and the connection is free for the next statement.
    ///
    /// # Errors
    /// When the server refuses the statement, or the connection is lost.
    pub(in crate::postgres) async fn next(&mut self) -> Result<Option<WireRow<'_>>, Failure> {
        let Self { wire, readers, .. } = self;
        if std::mem::take(&mut self.has_row) {
            wire.input.skip();
        }
        loop {
            match wire.next().await? {
                backend::DATA_ROW_TAG => break,
                backend::READY_FOR_QUERY_TAG => {
                    wire.ready();
                    return Ok(None);
                }
                backend::COMMAND_COMPLETE_TAG
                | backend::EMPTY_QUERY_RESPONSE_TAG
                | backend::PORTAL_SUSPENDED_TAG => wire.input.skip(),
                backend::ERROR_RESPONSE_TAG => return Err(wire.refused().await),
                kind => wire.pass(kind)?,
            }
        }
        places(wire.input.body(), readers.len(), &mut wire.places)?;
        self.has_row = true;
        Ok(Some(WireRow {
            body: wire.input.body(),
            places: &wire.places,
            readers,
        }))
    }
}

fn readers_of(message: Message) -> io::Result<Arc<[Reader]>> {
    let Message::RowDescription(body) = message else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let readers = body.fields().map(|field| {
        let kind = Type::from_oid(field.type_oid());
        Ok(kind.map_or(Reader::Bytes, |kind| Reader::of(&kind)))
    });
    readers.collect::<Vec<_>>().map(Arc::from)
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("is_busy", &self.is_busy)
            .finish_non_exhaustive()
    }
}
