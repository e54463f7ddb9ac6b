//! A connection while a statement runs on it.

use super::connect::{PostgresConnection, PostgresManager};
use crate::pool::Lease;

/// Holds a connection until its statement is over. Dropped before that, because the caller went away, the time is
/// up or an encoder failed, it gives the connection up: the server is asked to cancel, and the socket is closed.
/// It is not lent again, for a cancellation on its way could then meet somebody else's statement.
#[derive(Debug)]
pub(super) struct Running {
    lease: Option<Lease<PostgresManager>>,
}

impl Running {
    pub(super) fn new(lease: Lease<PostgresManager>) -> Self {
        Self { lease: Some(lease) }
    }

    pub(super) fn connection(&mut self) -> &mut PostgresConnection {
        self.lease
            .as_mut()
            .expect("the connection is there until the statement is over")
    }

    /// The statement is over: the connection is free for the next one.
    pub(super) fn finish(mut self) {
        drop(self.lease.take());
    }

    /// The statement failed: the connection is free if it was the server that said so.
    pub(super) fn fail(self, error: &tokio_postgres::Error) {
        if error.as_db_error().is_some() {
            self.finish();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.discard();
        }
    }
}
