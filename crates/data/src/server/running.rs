//! A connection while a statement runs on it.

use crate::pool::{Lease, Manage};
use crate::run::RunError;

/// Holds a connection until its statement is over. Dropped before that, because the caller went away, the time is
/// up or an encoder failed, it gives the connection up: the server is told to stop, and the socket is closed.
/// It is not lent again, for a cancellation on its way could then meet somebody else's statement.
#[derive(Debug)]
pub(crate) struct Running<M: Manage> {
    lease: Option<Lease<M>>,
}

/// Why a statement stopped, in a driver's terms.
pub(crate) trait Stopped {
    /// Whether the connection is free for another statement: it was the server that said no, or nothing was sent.
    fn is_over(&self) -> bool;

    /// What it means to the caller.
    fn meaning(self) -> RunError;
}

/// What ended the reading of rows.
#[derive(Debug)]
pub(crate) enum Unanswered<S> {
    /// The driver or the server.
    Statement(S),
    /// The encoder, the client, or the time.
    Ours(RunError),
}

impl<S: Stopped> From<S> for Unanswered<S> {
    fn from(stopped: S) -> Self {
        Self::Statement(stopped)
    }
}

impl<S> From<RunError> for Unanswered<S> {
    fn from(error: RunError) -> Self {
        Self::Ours(error)
    }
}

impl<M: Manage> Running<M> {
    pub(crate) fn new(lease: Lease<M>) -> Self {
        Self { lease: Some(lease) }
    }

    pub(crate) fn connection(&mut self) -> &mut M::Connection {
        self.lease
            .as_mut()
            .expect("the connection is there until the statement is over")
    }

    /// The statement is over: the connection is free for the next one.
    pub(crate) fn finish(mut self) {
        drop(self.lease.take());
    }

    /// The reading of its rows has ended in this way.
    pub(crate) fn end<T, S: Stopped>(
        self,
        outcome: Result<T, Unanswered<S>>,
    ) -> Result<T, RunError> {
        match outcome {
            Ok(done) => {
                self.finish();
                Ok(done)
            }
            Err(Unanswered::Statement(stopped)) => {
                if stopped.is_over() {
                    self.finish();
                }
                Err(stopped.meaning())
            }
            Err(Unanswered::Ours(error)) => Err(error),
        }
    }
}

impl<M: Manage> Drop for Running<M> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.discard();
        }
    }
}
