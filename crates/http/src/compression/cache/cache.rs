//! The cache of encoded bodies.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use quick_cache::sync::Cache;
use tokio::runtime::Handle;

use super::flight::{Flights, Role, wait};
use super::kept::{ByBytes, Kept};
use super::key::{Address, Key, KeyedBy, Keyring};
use super::statistics::{Counters, EncodedCacheStatistics, add};
use crate::coding::Coding;
use crate::compression::Compressor;

/// What an encoded body is expected to take, for the first size of the index.
const TYPICAL: u64 = 4 * 1024;

/// Encoded bodies within a budget of bytes, for a [`CompressionLayer`](crate::compression::CompressionLayer) in front of
/// handlers that make the same answers again and again. Clones share the memory.
///
/// Equal bytes are encoded once, however many ask at the same time. Bodies that are asked for often are encoded again in
/// the background, harder ([`upgrade_after`](crate::compression::CompressionPolicy::upgrade_after)); their tag then
/// names the level, because their bytes differ, and both tags are understood.
///
/// The handler still runs. Where a version is known before the work, a
/// [`ValidatorLayer`](crate::conditional::ValidatorLayer) or kept [representations](crate::representation) spare that too.
///
/// ```
/// use paceline_http::compression::{CompressionLayer, EncodedCache};
///
/// let cache = EncodedCache::new(64 * 1024 * 1024);
/// let layer = CompressionLayer::default().with_cache(cache.clone());
/// assert_eq!(cache.statistics().hits, 0);
/// # drop(layer);
/// ```
#[derive(Clone)]
pub struct EncodedCache(Arc<Shared>);

struct Shared {
    bodies: Cache<Key, Arc<Kept>, ByBytes>,
    keyring: Keyring,
    flights: Flights,
    counters: Counters,
}

/// A body to be encoded, and what it is the answer to.
#[derive(Debug)]
pub(in crate::compression) struct Question<'a> {
    pub(in crate::compression) coding: Coding,
    /// Only where the cache [needs](EncodedCache::needs_address) it.
    pub(in crate::compression) address: Option<&'a Address>,
    pub(in crate::compression) headers: &'a HeaderMap,
    pub(in crate::compression) data: &'a Bytes,
}

/// An encoded body, now or later.
pub(in crate::compression) enum Found {
    /// It was there, or was made at once.
    Ready(Arc<Kept>),
    /// It is made on the blocking pool; `None` when that failed.
    Later(Pin<Box<dyn Future<Output = Option<Arc<Kept>>> + Send>>),
}

impl EncodedCache {
    /// Keeps at most `budget` bytes, found by their content.
    ///
    /// # Panics
    ///
    /// When the system has no randomness.
    pub fn new(budget: u64) -> Self {
        Self::keyed(budget, KeyedBy::Content)
    }

    /// Keeps at most `budget` bytes, found as `by` says.
    ///
    /// # Panics
    ///
    /// When the system has no randomness.
    pub fn keyed(budget: u64, by: KeyedBy) -> Self {
        let typical = usize::try_from(budget / TYPICAL).unwrap_or(usize::MAX);
        Self(Arc::new(Shared {
            bodies: Cache::with_weighter(typical.clamp(64, 1 << 16), budget, ByBytes),
            keyring: Keyring::new(by),
            flights: Flights::default(),
            counters: Counters::default(),
        }))
    }

    /// What the cache has done so far.
    pub fn statistics(&self) -> EncodedCacheStatistics {
        EncodedCacheStatistics {
            bytes: self.0.bodies.weight(),
            entries: self.0.bodies.len() as u64,
            ..self.0.counters.read()
        }
    }

    /// Whether the address of a request is needed.
    pub(in crate::compression) fn needs_address(&self) -> bool {
        self.0.keyring.by() == KeyedBy::Validator
    }

    /// The encoded body, from memory or made now: at once when it is short, else on the blocking pool, once.
    pub(in crate::compression) fn find(
        &self,
        question: &Question<'_>,
        compressor: &Arc<Compressor>,
    ) -> Found {
        let shared = &self.0;
        let data = question.data;
        let key = shared
            .keyring
            .key(question.coding, question.address, question.headers, data);
        if let Some(kept) = shared.bodies.get(&key) {
            self.reused(key, &kept, data, compressor);
            return Found::Ready(kept);
        }
        if !compressor.policy().is_offloaded(data.len()) {
            add(&shared.counters.misses, 1);
            let kept = Arc::new(encode(compressor, question.coding, data));
            shared.keep(key, &kept, data.len());
            return Found::Ready(kept);
        }
        match shared.flights.join(key) {
            Role::Follower(outcome) => {
                add(&shared.counters.hits, 1);
                Found::Later(Box::pin(wait(outcome)))
            }
            Role::Leader(leader) => {
                add(&shared.counters.misses, 1);
                let (shared, compressor, data) =
                    (Arc::clone(shared), Arc::clone(compressor), data.clone());
                let work = tokio::task::spawn_blocking(move || {
                    let kept = Arc::new(encode(&compressor, key.coding, &data));
                    shared.keep(key, &kept, data.len());
                    leader.land(Arc::clone(&kept));
                    kept
                });
                Found::Later(Box::pin(async { work.await.ok() }))
            }
        }
    }

    /// Counts a use, and has a hot body encoded harder.
    fn reused(&self, key: Key, kept: &Arc<Kept>, data: &Bytes, compressor: &Arc<Compressor>) {
        let shared = &self.0;
        add(&shared.counters.hits, 1);
        shared.saved(kept, data.len());
        let nanoseconds = u64::try_from(kept.cost.as_nanos()).unwrap_or(u64::MAX);
        add(&shared.counters.nanoseconds_saved, nanoseconds);
        let policy = compressor.policy();
        let is_hot = policy
            .enough_uses()
            .is_some_and(|enough| kept.is_hot(enough));
        if !is_hot || data.len() > policy.largest_one_shot() {
            return;
        }
        let (Ok(runtime), Some(turn)) = (Handle::try_current(), compressor.begin_upgrade()) else {
            return;
        };
        if !kept.claim() {
            return;
        }
        let (shared, kept, data, compressor) = (
            Arc::clone(shared),
            Arc::clone(kept),
            data.clone(),
            Arc::clone(compressor),
        );
        runtime.spawn_blocking(move || {
            let _turn = turn;
            if let Some(better) = upgraded(&compressor, key.coding, &kept, &data) {
                add(&shared.counters.upgrades, 1);
                shared.bodies.insert(key, Arc::new(better));
            }
        });
    }
}

impl Shared {
    fn keep(&self, key: Key, kept: &Arc<Kept>, length: usize) {
        self.saved(kept, length);
        self.bodies.insert(key, Arc::clone(kept));
    }

    fn saved(&self, kept: &Kept, length: usize) {
        if let Some(body) = &kept.body {
            add(&self.counters.bytes_saved, (length - body.len()) as u64);
        }
    }
}

fn encode(compressor: &Compressor, coding: Coding, data: &[u8]) -> Kept {
    let start = Instant::now();
    let body = compressor.compress(coding, data);
    let level = compressor.policy().levels().named(coding);
    Kept::new(body, level, start.elapsed())
}

/// The same body at the higher level, when that makes it smaller.
fn upgraded(compressor: &Compressor, coding: Coding, kept: &Kept, data: &[u8]) -> Option<Kept> {
    let (body, level) = compressor.compress_harder(coding, data)?;
    let is_smaller = kept
        .body
        .as_ref()
        .is_some_and(|before| body.len() < before.len());
    is_smaller.then(|| Kept::new(Some(body), level, kept.cost).into_final())
}

impl fmt::Debug for EncodedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedCache")
            .field("statistics", &self.statistics())
            .finish()
    }
}
