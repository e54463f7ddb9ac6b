//! Exact counts, counted once: single flight, and remembered until the tables change.

use std::collections::HashMap;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use crate::run::RunError;
use crate::statement::{Statement, Value};
use crate::version::Stamp;

/// How long a count may be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// While its tables have this stamp.
    While(Stamp),
    /// For a second from when its counting began: for stores that do not tell versions.
    OneSecond,
    /// Not at all: the versions are known but just changing.
    Never,
}

impl Freshness {
    /// For a database that tells versions: while the stamp lasts, else not at all.
    pub fn of(stamp: Option<Stamp>) -> Self {
        stamp.map_or(Self::Never, Self::While)
    }
}

/// How old a count may be where versions are not known.
const UNVERSIONED: Duration = Duration::from_secs(1);

/// The counts of one database that are remembered or under way.
#[derive(Debug)]
pub struct Totals {
    capacity: NonZeroUsize,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    by_statement: HashMap<Key, Slot>,
    uses: u64,
}

#[derive(Debug)]
struct Slot {
    freshness: Freshness,
    began: Instant,
    last_use: u64,
    count: Arc<OnceCell<u64>>,
}

/// The statement as a key: its text and its values, told apart to the bit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(blake3::Hash);

impl Totals {
    /// Remembers at most `capacity` counts; the one not used for longest makes room.
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            slots: Mutex::default(),
        }
    }

    /// The count of `statement`: remembered, awaited from whoever is counting already, or counted by
    /// `count`. When the one who counts goes away, one of those who wait takes over.
    ///
    /// # Errors
    /// What `count` answers. Failures are not remembered.
    pub async fn get<F>(
        &self,
        statement: &Statement,
        freshness: Freshness,
        now: Instant,
        count: impl FnOnce() -> F,
    ) -> Result<u64, RunError>
    where
        F: Future<Output = Result<u64, RunError>>,
    {
        if freshness == Freshness::Never {
            return count().await;
        }
        let slot = self.slot(statement, freshness, now);
        slot.get_or_try_init(count).await.copied()
    }

    /// Forgets every count that no stamp tells the end of: something was written.
    pub fn forget_unversioned(&self) {
        self.lock()
            .by_statement
            .retain(|_, slot| matches!(slot.freshness, Freshness::While(_)));
    }

    fn slot(
        &self,
        statement: &Statement,
        freshness: Freshness,
        now: Instant,
    ) -> Arc<OnceCell<u64>> {
        let key = Key::of(statement);
        let mut slots = self.lock();
        slots.uses += 1;
        let use_number = slots.uses;
        if let Some(slot) = slots.by_statement.get_mut(&key)
            && slot.is_usable(freshness, now)
        {
            slot.last_use = use_number;
            return Arc::clone(&slot.count);
        }
        if slots.by_statement.len() >= self.capacity.get() && !slots.by_statement.contains_key(&key)
        {
            slots.evict();
        }
        let count = Arc::default();
        let slot = Slot {
            freshness,
            began: now,
            last_use: use_number,
            count: Arc::clone(&count),
        };
        slots.by_statement.insert(key, slot);
        count
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Forgets the count not used for longest. Looks at all of them: cheap beside the count to come.
    fn evict(&mut self) {
        let oldest = self
            .by_statement
            .iter()
            .min_by_key(|(_, slot)| slot.last_use);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.by_statement.remove(&key);
        }
    }
}

impl Slot {
    fn is_usable(&self, freshness: Freshness, now: Instant) -> bool {
        let in_time = freshness != Freshness::OneSecond
            || now.saturating_duration_since(self.began) <= UNVERSIONED;
        self.freshness == freshness && in_time
    }
}

impl Key {
    fn of(statement: &Statement) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut part = |tag: u8, bytes: &[u8]| {
            hasher.update(&[tag]);
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(0, statement.sql.as_bytes());
        for value in &statement.values {
            match value {
                Value::Null => part(1, &[]),
                Value::Integer(value) => part(2, &value.to_le_bytes()),
                Value::Real(value) => part(3, &value.to_bits().to_le_bytes()),
                Value::Text(text) => part(4, text.as_bytes()),
                Value::RawText(bytes) => part(5, bytes),
                Value::Blob(bytes) => part(6, bytes),
            }
        }
        Self(hasher.finalize())
    }
}

#[cfg(test)]
mod tests;
