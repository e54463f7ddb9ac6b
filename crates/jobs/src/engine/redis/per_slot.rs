use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::Notify;

use super::topology::Slot;

/// One task for each slot that was ever of interest: a wait at the server covers the keys of one slot. A server
/// that is no cluster has one slot.
#[derive(Debug, Default)]
pub(super) struct PerSlot {
    changes: HashMap<Slot, Arc<Notify>>,
}

impl PerSlot {
    /// Starts the tasks of slots that have none, and tells all of them that something changed.
    pub(super) fn tell<F>(
        &mut self,
        slots: impl IntoIterator<Item = Slot>,
        start: impl Fn(Slot, Arc<Notify>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        for slot in slots {
            if let Entry::Vacant(vacant) = self.changes.entry(slot) {
                let changed = Arc::new(Notify::new());
                drop(tokio::spawn(start(slot, Arc::clone(&changed))));
                vacant.insert(changed);
            }
        }
        for changed in self.changes.values() {
            changed.notify_one();
        }
    }
}
