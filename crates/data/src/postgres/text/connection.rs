//! A connection for statements of others.

use std::fmt;
use std::io;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt as _;
use tokio_postgres::CancelToken;

use super::exchange::{Answered, Messages, Most, State, Stopped, exchange};
use crate::postgres::connect::Host;
use crate::postgres::connect::begun::Begun;
use crate::postgres::connect::common::Common;
use crate::postgres::connect::probe::{Probe, Silence};

/// Nothing is sent on it but what its methods are given.
pub(super) struct TextConnection {
    stream: Common,
    received: BytesMut,
    host: Host,
    cancel: CancelToken,
    probe: Option<Probe>,
    /// Whether something may still run on it.
    busy: bool,
}

impl TextConnection {
    pub(super) fn new(begun: Begun) -> Self {
        Self {
            stream: begun.stream,
            received: BytesMut::new(),
            host: begun.host,
            cancel: begun.cancel,
            probe: begun.probe,
            busy: false,
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Whether something may still run on it.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn heard(&self) -> Silence {
        self.probe.as_ref().map_or(Silence::Kept, Probe::look)
    }

    /// Runs statements up to the first that fails.
    pub(super) async fn run(
        &mut self,
        messages: Messages,
        most: Most,
    ) -> Result<Answered, Stopped> {
        let messages = messages.sync();
        self.busy = true;
        let answered = exchange(&self.stream, &mut self.received, &messages, most).await?;
        self.busy = false;
        Ok(answered)
    }

    /// Runs a statement of ours that gives no rows; whether it was done, and left no transaction open.
    pub(super) async fn command(&mut self, sql: &str) -> io::Result<Answered> {
        let mut messages = Messages::default();
        messages.add(sql, &[]).map_err(io::Error::other)?;
        let most = Most {
            bytes: 1 << 20,
            rows: 10_000,
        };
        match self.run(messages, most).await {
            Ok(answered) => Ok(answered),
            Err(Stopped::Lost(error)) => Err(error),
            Err(Stopped::TooLarge(too_large)) => Err(io::Error::other(too_large)),
            Err(Stopped::Refused(refusal)) => Err(io::Error::other(refusal)),
        }
    }

    /// Whether the server answers.
    pub(super) async fn check(&mut self) -> io::Result<()> {
        let most = Most { bytes: 0, rows: 0 };
        match self.run(Messages::default(), most).await {
            Ok(answered) if answered.state == State::Idle => Ok(()),
            Ok(_) => Err(io::Error::other("a transaction was left open")),
            Err(Stopped::Lost(error)) => Err(error),
            Err(Stopped::TooLarge(too_large)) => Err(io::Error::other(too_large)),
            Err(Stopped::Refused(refusal)) => Err(io::Error::other(refusal)),
        }
    }

    /// Takes leave.
    pub(super) async fn close(mut self) {
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        // It is closed either way.
        let _ = self.stream.write_all(&out).await;
    }
}

impl fmt::Debug for TextConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextConnection")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
