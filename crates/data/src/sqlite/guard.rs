//! Stops a statement that takes too long or whose caller has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::run::RunError;

/// SQLite's virtual machine asks after this many instructions, some tens of microseconds.
const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 2000;

/// What ends the work a connection is doing now.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// When the time is up.
    pub(crate) deadline: Instant,
    /// Set when nobody waits for the answer any more.
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl Limits {
    /// Why the work must stop now, if it must.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(RunError::stopped())
        } else if Instant::now() >= self.deadline {
            Err(RunError::timeout())
        } else {
            Ok(())
        }
    }
}

/// The limits of one connection, looked at by its progress handler.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    current: Arc<Mutex<Option<Limits>>>,
}

impl Guard {
    /// Puts a guard on the connection.
    pub(crate) fn install(connection: &mut Connection) -> rusqlite::Result<Self> {
        let guard = Self::default();
        let watched = guard.clone();
        let handler = move || watched.check().is_err();
        connection.progress_handler(INSTRUCTIONS_BETWEEN_CHECKS, Some(handler))?;
        Ok(guard)
    }

    /// Sets the limits of the work that follows; `None` lifts them.
    pub(crate) fn set(&self, limits: Option<Limits>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Why the present work must stop, if it must.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map_or(Ok(()), Limits::check)
    }
}
