//! Why a batch was not carried out.

use std::time::Instant;

use super::super::database::classify;
use super::super::error::{NeonError, NeonRefusal};
use super::wrap;
use crate::postgres::meaning;
use crate::run::RunError;
use crate::write::{Constraint, Names, SqlState, Told, WriteError};

/// What stopped a batch. Nothing of it is stored, unless the error says that this is not known.
#[derive(Debug)]
pub(super) enum Stopped {
    /// A statement did not write the rows it was to write.
    LeftOut,
    /// A row was not what had been read before.
    Changed,
    /// It went well, and was undone as it was to be.
    Undone,
    /// Anything else.
    Failed(WriteError),
}

impl Stopped {
    /// What the error of a batch means that writes what may be told of.
    pub(super) fn of(error: NeonError, told: &Told, deadline: Instant) -> Self {
        let NeonError::Refused(refusal) = &error else {
            return Self::Failed(unanswered(error, deadline).into());
        };
        let Some(code) = refusal.code.clone() else {
            return Self::Failed(RunError::database(error).into());
        };
        if let Some(of_ours) = of_ours(&code, refusal) {
            return of_ours;
        }
        let state = SqlState {
            code: &code,
            table: refusal.table.as_deref(),
            column: refusal.column.as_deref(),
            rule: refusal.constraint.as_deref(),
        };
        let names = told.names.as_ref();
        let constraint = Constraint::from_state(&state, names.unwrap_or(&Names::default()));
        Self::Failed(match constraint {
            Some(constraint) => WriteError::Constraint(constraint),
            // A connection behind the endpoint was lost: before the commit, or behind it.
            None if code.starts_with("08") => RunError::unknown(error).into(),
            None => meaning(&code, error).into(),
        })
    }
}

impl Stopped {
    /// What callers are told, where nothing can be done about it.
    pub(super) fn into_error(self) -> WriteError {
        match self {
            Self::Failed(error) => error,
            Self::LeftOut => WriteError::Constraint(Constraint::refused()),
            Self::Changed | Self::Undone => RunError::busy("the row is being changed").into(),
        }
    }
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a setting that is not there says.
fn of_ours(code: &str, refusal: &NeonRefusal) -> Option<Stopped> {
    let asks_for = |setting: &str| code == "42704" && refusal.message.contains(setting);
    if asks_for(wrap::LEFT_OUT) {
        Some(Stopped::LeftOut)
    } else if asks_for(wrap::CHANGED) {
        Some(Stopped::Changed)
    } else if asks_for(wrap::UNDONE) {
        Some(Stopped::Undone)
    } else {
        None
    }
}

/// There was no answer of the database: it is known to have done nothing only if nothing had left.
fn unanswered(error: NeonError, deadline: Instant) -> RunError {
    match &error {
        NeonError::Http(cause) if !cause.was_sent() => classify(error, deadline),
        // The request itself is not taken: too large, or not allowed.
        NeonError::Status(400..=499) => RunError::database(error),
        _ => RunError::unknown(error),
    }
}
