//! The half of the driver that moves bytes: at rest, or in a task.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::either::Either;

use super::manager::{Encrypted, Plain};

/// What the driver runs a connection with.
pub(super) type Connection = Either<Plain, Encrypted>;

/// Where it is.
pub(super) struct Driver {
    state: Mutex<State>,
    runtime: Handle,
}

enum State {
    /// Nobody moves bytes for the client.
    Resting(Box<Moving>),
    /// A task does.
    Running(Running),
    /// The connection is over.
    Over,
}

struct Running {
    task: JoinHandle<Option<Box<Moving>>>,
    /// Asks for the driver back.
    stop: oneshot::Sender<()>,
}

/// Moves bytes until the connection ends.
struct Moving(Connection);

impl Future for Moving {
    type Output = Result<(), tokio_postgres::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Either::Left(connection) => Pin::new(connection).poll(context),
            Either::Right(connection) => Pin::new(connection).poll(context),
        }
    }
}

impl Driver {
    /// At rest. What it runs later runs on the runtime this is called on.
    pub(super) fn resting(connection: Connection) -> Self {
        Self {
            state: Mutex::new(State::Resting(Box::new(Moving(connection)))),
            runtime: Handle::current(),
        }
    }

    /// Lets a task move bytes, if none does.
    pub(super) fn run(&self) {
        let mut state = self.lock();
        *state = match std::mem::replace(&mut *state, State::Over) {
            State::Resting(moving) => State::Running(self.start(moving)),
            state => state,
        };
    }

    fn start(&self, mut moving: Box<Moving>) -> Running {
        let (stop, stopped) = oneshot::channel();
        let task = self.runtime.spawn(async move {
            tokio::select! {
                biased;
                ended = &mut *moving => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection to PostgreSQL ended");
                    }
                    None
                }
                Ok(()) = stopped => Some(moving),
            }
        });
        Running { task, stop }
    }

    /// Waits until no task moves bytes. What the client began must be over.
    ///
    /// # Errors
    /// When the connection is over.
    pub(super) async fn rest(&mut self) -> io::Result<()> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Resting(_) = state {
            return Ok(());
        }
        if let State::Running(running) = std::mem::replace(state, State::Over) {
            // It has ended by itself otherwise.
            let _ = running.stop.send(());
            if let Ok(Some(moving)) = running.task.await {
                *state = State::Resting(moving);
                return Ok(());
            }
        }
        Err(io::ErrorKind::NotConnected.into())
    }

    /// Ends the task, whatever it does.
    pub(super) fn abort(&mut self) {
        if let State::Running(running) = &*self.lock() {
            running.task.abort();
        }
    }

    /// Whether nobody moves bytes for the client.
    pub(super) fn is_resting(&self) -> bool {
        matches!(&*self.lock(), State::Resting(_))
    }

    /// Whether the connection is known to be over.
    pub(super) fn is_over(&self) -> bool {
        match &*self.lock() {
            State::Resting(_) => false,
            State::Running(running) => running.task.is_finished(),
            State::Over => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
