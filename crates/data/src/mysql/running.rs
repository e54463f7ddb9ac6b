//! A connection while a statement runs on it.

use super::connect::{MySqlConnection, MySqlManager};
use super::query::Stopped;
use crate::pool::Lease;

/// Holds a connection until its statement is over. Dropped before that, because the caller went away, the time is
/// up or an encoder failed, it gives the connection up: the socket is closed, and the server is told to stop.
/// It is not lent again, for a cancellation on its way could then meet somebody else's statement.
#[derive(Debug)]
pub(super) struct Running {
    lease: Option<Lease<MySqlManager>>,
}

impl Running {
    pub(super) fn new(lease: Lease<MySqlManager>) -> Self {
        Self { lease: Some(lease) }
    }

    pub(super) fn connection(&mut self) -> &mut MySqlConnection {
        self.lease
            .as_mut()
            .expect("the connection is there until the statement is over")
    }

    /// The statement is over: the connection is free for the next one.
    pub(super) fn finish(mut self) {
        drop(self.lease.take());
    }

    /// The statement stopped: the connection is free if it was the server that said so.
    pub(super) fn stop(self, stopped: &Stopped) {
        let is_over = match stopped {
            Stopped::Database(error) => !error.is_fatal(),
            // It was never sent.
            Stopped::Value(_) => true,
        };
        if is_over {
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
