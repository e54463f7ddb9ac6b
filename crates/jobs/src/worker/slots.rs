//! The places of a worker: how many handlers run at the same time. The number may change while they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The places. One task takes them, any thread gives them back.
#[derive(Debug)]
pub(super) struct Slots {
    limit: AtomicUsize,
    used: AtomicUsize,
    /// Told when a place may have become free.
    freed: Notify,
    /// Told when none is used any more.
    emptied: Notify,
}

impl Slots {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(limit.max(1)),
            used: AtomicUsize::new(0),
            freed: Notify::new(),
            emptied: Notify::new(),
        })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Acquire)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit.max(1), Ordering::Release);
        self.freed.notify_one();
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Takes all free places, at least one. Only one task may wait here.
    pub(super) async fn take_free(self: &Arc<Self>) -> Places {
        loop {
            let free = self.limit().saturating_sub(self.used());
            if free > 0 {
                self.used.fetch_add(free, Ordering::AcqRel);
                return Places {
                    slots: Arc::clone(self),
                    count: free,
                };
            }
            self.freed.notified().await;
        }
    }

    fn give_back(&self, count: usize) {
        if count == 0 {
            return;
        }
        let before = self.used.fetch_sub(count, Ordering::AcqRel);
        self.freed.notify_one();
        if before == count {
            self.emptied.notify_waiters();
        }
    }

    /// Waits until no place is used.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.used() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

/// Places taken together; those not given out go back.
#[derive(Debug)]
pub(super) struct Places {
    slots: Arc<Slots>,
    count: usize,
}

impl Places {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// One of them.
    pub(super) fn split(&mut self) -> Option<Arc<Place>> {
        self.count = self.count.checked_sub(1)?;
        Some(Arc::new(Place(Arc::clone(&self.slots))))
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.slots.give_back(self.count);
    }
}

/// One place, free again when its last holder lets go: the ending was handed over, and no thread still
/// runs the handler.
#[derive(Debug)]
pub(super) struct Place(Arc<Slots>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lower_limit_lets_running_ones_end_first_and_a_higher_one_counts_at_once() {
        let slots = Slots::new(3);
        let mut places = slots.take_free().await;
        let held: Vec<_> = (0..3).filter_map(|_| places.split()).collect();
        assert!(places.split().is_none());
        drop(places);
        slots.set_limit(1);
        let mut held = held.into_iter();
        for left in [2, 1] {
            drop(held.next());
            assert_eq!(slots.used(), left);
            let waits = tokio::time::timeout(std::time::Duration::ZERO, slots.take_free()).await;
            assert!(waits.is_err(), "{left} of 1 places are used");
        }
        slots.set_limit(4);
        assert_eq!(slots.take_free().await.len(), 3);
        drop(held);
        slots.empty().await;
    }
}
