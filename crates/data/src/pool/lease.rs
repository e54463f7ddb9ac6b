//! A connection that is lent.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::manage::Manage;
use super::shared::Slot;
use super::state::Papers;

/// A connection of a pool, for as long as this lives. Dropped, it goes back and is the next to be lent; what must not
/// be used again is given up with [`Lease::discard`].
pub struct Lease<M: Manage> {
    /// `None` only while it is being dropped or discarded.
    papers: Option<Papers<M::Connection>>,
    slot: Slot<M>,
}

impl<M: Manage> Lease<M> {
    pub(super) fn new(papers: Papers<M::Connection>, slot: Slot<M>) -> Self {
        Self {
            papers: Some(papers),
            slot,
        }
    }

    /// Closes the connection instead of giving it back: it was left in the middle of something, or is broken.
    pub fn discard(mut self) {
        let shared = &self.slot.shared;
        shared.state().counts.discarded += 1;
        if let Some(papers) = self.papers.take() {
            shared.manager.abandon(papers.connection);
        }
    }

    fn papers(&self) -> &Papers<M::Connection> {
        self.papers
            .as_ref()
            .expect("a lease has its connection until it ends")
    }
}

impl<M: Manage> Deref for Lease<M> {
    type Target = M::Connection;

    fn deref(&self) -> &M::Connection {
        &self.papers().connection
    }
}

impl<M: Manage> DerefMut for Lease<M> {
    fn deref_mut(&mut self) -> &mut M::Connection {
        let papers = self.papers.as_mut();
        &mut papers
            .expect("a lease has its connection until it ends")
            .connection
    }
}

impl<M: Manage> Drop for Lease<M> {
    fn drop(&mut self) {
        if let Some(papers) = self.papers.take() {
            self.slot.park(papers);
        }
    }
}

impl<M: Manage> fmt::Debug for Lease<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}
