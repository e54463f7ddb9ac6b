//! The cache of answers.

use std::sync::Arc;
use std::time::Duration;

use http::header::CACHE_CONTROL;

use super::entry::Entry;
use super::flight::{Flights, Role};
use super::representation::Representation;
use super::shelf::{Key, Shelf};
use super::statistics::CacheStatistics;
use crate::cache_control::cache_control_has;
use crate::compression::Compressor;

/// Answers by key, each valid as long as what it was made from.
///
/// `V` is the caller's stamp of that: the versions of the tables a query reads, say. An entry counts only
/// while its stamp equals the one the caller gives, so nothing has to be invalidated. `E` is the error of
/// making an answer; it must be `Clone` because everyone who waited gets it.
///
/// The key is compared in full: an entry is never found under another's key, whatever a client manages to
/// put into one. Everything that decides the answer (path, normalised query, media type, who asks) belongs
/// into it.
///
/// Memory stays within the budget; what was asked for least goes first. An answer that takes more than
/// [`largest_entry`](Self::largest_entry) is sent but not kept.
#[derive(Debug)]
pub struct VariantCache<V, E> {
    shelf: Arc<Shelf<V>>,
    flights: Flights<V, Result<Arc<Entry<V>>, E>>,
    compressor: Arc<Compressor>,
}

impl<V, E> VariantCache<V, E>
where
    V: Eq + Clone,
    E: Clone,
{
    /// A cache that keeps at most `budget` bytes, counting bodies in every coding, header fields and keys.
    pub fn new(budget: u64, compressor: Arc<Compressor>) -> Self {
        Self {
            shelf: Arc::new(Shelf::new(budget)),
            flights: Flights::new(),
            compressor,
        }
    }

    /// The entry under `key`, if there is one and it was made from `validity`. Does not allocate.
    pub fn get(&self, key: &[u8], validity: &V) -> Option<Arc<Entry<V>>> {
        let found = self.find(key, validity);
        let counters = &self.shelf.counters;
        let counter = if found.is_some() {
            &counters.hits
        } else {
            &counters.misses
        };
        counter.increment();
        found
    }

    /// The entry under `key`, made by `render` if it is not there.
    ///
    /// Of those who ask for the same key and validity at once, one renders and the others get its result, its
    /// error too. Errors are not kept: the next to ask tries again. When the one who renders goes away, another
    /// takes over.
    ///
    /// Read `validity` before `render` reads the data; then an answer is at worst newer than its stamp, and is
    /// made again at the next request.
    pub async fn get_or_render<F, R>(
        &self,
        key: &[u8],
        validity: V,
        render: F,
    ) -> Result<Arc<Entry<V>>, E>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<Representation, E>>,
    {
        if let Some(entry) = self.get(key, &validity) {
            return Ok(entry);
        }
        loop {
            match self.flights.join(key, &validity) {
                Role::Follower(follower) => {
                    self.shelf.counters.joins.increment();
                    if let Some(result) = follower.wait().await {
                        return result;
                    }
                }
                Role::Leader(leader) => {
                    // Another leader may have landed since the look-up.
                    let result = if let Some(entry) = self.find(key, &validity) {
                        Ok(entry)
                    } else {
                        self.shelf.counters.renders.increment();
                        let rendered = render().await;
                        rendered
                            .map(|answer| self.store(Arc::clone(leader.key()), validity, answer))
                    };
                    leader.land(result.clone());
                    return result;
                }
            }
        }
    }

    /// Puts an answer in, in the place of any other under `key`.
    pub fn insert(&self, key: &[u8], validity: V, representation: Representation) -> Arc<Entry<V>> {
        self.store(Key::from(key), validity, representation)
    }

    fn store(&self, key: Key, validity: V, representation: Representation) -> Arc<Entry<V>> {
        let is_kept = !cache_control_has(representation.headers.get_all(CACHE_CONTROL), "no-store");
        let compressor = Arc::clone(&self.compressor);
        let entry = Arc::new(Entry::new(
            key,
            validity,
            representation,
            compressor,
            &self.shelf,
        ));
        if is_kept {
            self.shelf.put(Arc::clone(&entry));
        }
        entry
    }

    fn find(&self, key: &[u8], validity: &V) -> Option<Arc<Entry<V>>> {
        self.shelf
            .get(key)
            .filter(|entry| entry.validity() == validity)
    }

    /// Forgets everything. Entries in use stay usable.
    pub fn clear(&self) {
        self.shelf.clear();
    }

    /// The most bytes an answer may take in identity, fields and key included, to be kept.
    pub fn largest_entry(&self) -> u64 {
        self.shelf.largest()
    }

    /// What the cache has done so far.
    pub fn statistics(&self) -> CacheStatistics {
        let counters = &self.shelf.counters;
        CacheStatistics {
            hits: counters.hits.get(),
            misses: counters.misses.get(),
            joins: counters.joins.get(),
            renders: counters.renders.get(),
            compressions: counters.compressions.get(),
            encoded_hits: counters.encoded_hits.get(),
            bytes_saved: counters.bytes_saved.get(),
            time_saved: Duration::from_nanos(counters.nanoseconds_saved.get()),
            upgrades: counters.upgrades.get(),
            evictions: counters.evictions.get(),
            bytes: self.shelf.bytes(),
            entries: self.shelf.len(),
        }
    }
}
