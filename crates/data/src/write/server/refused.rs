//! Why a statement of a write stopped, and what its caller is told.

use std::fmt;

use crate::run::RunError;
use crate::write::{Constraint, Names, WriteError};

/// What a server said when it refused a statement.
pub(crate) trait Refusal: fmt::Debug + Send {
    /// The rule of the schema behind it, if it is about one.
    fn rule(&self, names: &Names) -> Option<Constraint>;

    /// Whether it is one of those that a write can do something about.
    fn fault(&self) -> Option<Fault>;

    /// What it means where it is about no rule.
    fn meaning(self: Box<Self>) -> RunError;
}

/// A refusal that a write can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another row has the same key.
    Duplicate,
    /// A row was to be created, and met another, of the same key or another unique value, which it let be.
    Met,
    /// It waited for others who waited for it, and the server has undone all of its transaction.
    Deadlock,
    /// There is no such table.
    NoTable,
}

/// A statement of a write stopped.
#[derive(Debug)]
pub(crate) enum Refused {
    /// By the server.
    Server(Box<dyn Refusal>),
    /// By ourselves, or on the way.
    Write(WriteError),
}

impl Refused {
    /// What can be done about it.
    pub(super) fn fault(&self) -> Option<Fault> {
        match self {
            Self::Server(refusal) => refusal.fault(),
            Self::Write(_) => None,
        }
    }

    /// What it means to the caller, who may be told these names.
    pub(super) fn told(self, names: &Names) -> WriteError {
        match self {
            Self::Write(error) => error,
            Self::Server(refusal) => match refusal.rule(names) {
                Some(rule) => WriteError::Constraint(rule),
                None => refusal.meaning().into(),
            },
        }
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<RunError> for Refused {
    fn from(error: RunError) -> Self {
        Self::Write(error.into())
    }
}
