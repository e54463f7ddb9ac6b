//! A connection while statements of others run on it.

use std::time::Duration;

use tokio::time::timeout;

use super::connection::TextConnection;
use super::exchange::State;
use super::manager::TextManager;
use super::traces::CLEAN;
use crate::pool::Lease;

/// How long cleaning may take: the session may have much to drop.
const CLEANING: Duration = Duration::from_secs(5);

/// Holds a connection until its statements are over. Dropped before that it gives the connection up: the server is
/// asked to cancel, and the socket is closed.
#[derive(Debug)]
pub(super) struct Running(Option<Lease<TextManager>>);

impl Running {
    pub(super) fn new(lease: Lease<TextManager>) -> Self {
        Self(Some(lease))
    }

    pub(super) fn connection(&mut self) -> &mut TextConnection {
        self.0
            .as_mut()
            .expect("the connection is there until its statements are over")
    }

    /// The statements are over, and cleaning makes the session as good as new: it is cleaned behind the caller's back,
    /// and lent again when that is done.
    pub(super) fn clean(mut self) {
        tokio::spawn(async move {
            let cleaning = self.connection().command(CLEAN);
            if let Ok(Ok(answered)) = timeout(CLEANING, cleaning).await
                && answered.refusal.is_none()
                && answered.state == State::Idle
            {
                drop(self.0.take());
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(lease) = self.0.take() {
            lease.discard();
        }
    }
}
