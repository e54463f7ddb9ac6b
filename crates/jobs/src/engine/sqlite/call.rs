//! An operation on its way to a thread that owns a connection, and its answer on the way back.

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::tx::Tx;
use crate::error::EngineError;

/// What a power loss may undo of a write that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Nothing, if the engine is set so.
    Kept,
    /// All of it: the write only says who holds a lease, and a power loss ends every lease.
    Lease,
}

/// How the operations of one transaction are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    /// A refused one is undone by itself.
    Each,
    /// Not at all, which is cheaper: when one is refused, all have to be undone and done again.
    Together,
}

/// A write waiting for the writer thread.
pub(super) trait WriteCall: Send {
    /// What must outlive a power loss once this is answered.
    fn promise(&self) -> Promise;

    /// Does the work inside the batch's transaction; again, when that was undone. Says whether it was done,
    /// not refused. The error means that the whole transaction is lost.
    fn run(&mut self, tx: &mut Tx<'_>, isolation: Isolation) -> Result<bool, EngineError>;

    /// Answers the caller, once the batch is committed or lost.
    fn answer(self: Box<Self>, committed: Result<(), EngineError>);
}

pub(super) struct Write<F, T, E> {
    promise: Promise,
    work: F,
    done: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    /// The place in the bounded line, given up with the answer.
    _place: OwnedSemaphorePermit,
}

impl<F, T, E> Write<F, T, E> {
    pub(super) fn new(
        promise: Promise,
        work: F,
        reply: oneshot::Sender<Result<T, E>>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            promise,
            work,
            done: None,
            reply,
            _place: place,
        }
    }
}

impl<F, T, E> WriteCall for Write<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<EngineError> + Send,
{
    fn promise(&self) -> Promise {
        self.promise
    }

    fn run(&mut self, tx: &mut Tx<'_>, isolation: Isolation) -> Result<bool, EngineError> {
        let done = match isolation {
            Isolation::Each => tx.isolate(&mut self.work)?,
            Isolation::Together => tx.attempt(&mut self.work),
        };
        let is_done = done.is_ok();
        self.done = Some(done);
        tx.still_open()?;
        Ok(is_done)
    }

    fn answer(self: Box<Self>, committed: Result<(), EngineError>) {
        let answer = match (self.done, committed) {
            (Some(Err(refused)), _) => Err(refused),
            (_, Err(lost)) => Err(lost.into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(EngineError::Internal.into()),
        };
        // The caller may have stopped waiting; the work stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// A read waiting for a reader thread.
pub(super) type ReadCall = Box<dyn FnOnce(&Connection) + Send>;
