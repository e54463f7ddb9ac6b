//! What goes wrong on purpose.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::held;

/// How one request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is read, not carried out, and the connection closed.
    LostBefore,
    /// It is carried out, and the connection closed instead of an answer.
    LostAfter,
    /// It is read and never answered.
    Silence,
    /// It is answered with this status and body, and not carried out.
    Status(u16, String),
    /// The answer is cut off in its middle, but sent as if it were whole.
    Cut,
}

/// What is still to go wrong, in order.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub(super) fn push(&self, fault: Fault) {
        held(&self.0).push_back(fault);
    }

    pub(super) fn next(&self) -> Option<Fault> {
        held(&self.0).pop_front()
    }
}
