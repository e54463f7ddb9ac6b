//! One answer in the cache.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use tokio::runtime::Handle;

use super::representation::Representation;
use super::respond::{Responded, Sent};
use super::shelf::{Key, Shelf};
use super::variants::Variants;
use crate::compression::Compressor;
use crate::conditional::{EntityTag, PreconditionRefused};

/// An answer, what it was made from, and its codings so far. Stays usable after the cache has dropped it.
#[derive(Debug)]
pub struct Entry<V> {
    key: Key,
    validity: V,
    variants: Variants,
    weight: AtomicU64,
    shelf: Weak<Shelf<V>>,
}

impl<V: Send + Sync + 'static> Entry<V> {
    /// Answers a `GET` or `HEAD`: 200 in the best coding the client accepts, or 304.
    ///
    /// Completes at once, unless the coding is asked for the first time: then the body is compressed, on the
    /// blocking pool when it is longer than
    /// [`offload_above`](crate::compression::CompressionPolicy::offload_above), and everyone who asks for that
    /// coding meanwhile waits for the one result. A coding that is asked for often is compressed harder in the
    /// background ([`upgrade_after`](crate::compression::CompressionPolicy::upgrade_after)).
    ///
    /// Errors when a precondition forbids the answer (412 or 400).
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, when a body is long enough to be compressed on its blocking pool.
    pub async fn respond(
        self: &Arc<Self>,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response<Full<Bytes>>, PreconditionRefused> {
        let Responded {
            response,
            added,
            sent,
        } = self.variants.respond(method, headers).await;
        if let Some(bytes) = added {
            self.grew(bytes);
            if let Some(shelf) = self.shelf.upgrade() {
                shelf.counters.compressions.increment();
            }
        }
        if let Some(sent) = sent {
            self.count(sent, added.is_none());
        }
        response
    }

    fn count(self: &Arc<Self>, answer: Sent, is_reused: bool) {
        let Some(owner) = self.shelf.upgrade() else {
            return;
        };
        owner.counters.bytes_saved.add(answer.bytes_saved);
        if !is_reused {
            return;
        }
        owner.counters.encoded_hits.increment();
        let nanoseconds = usize::try_from(answer.cost.as_nanos()).unwrap_or(usize::MAX);
        owner.counters.nanoseconds_saved.add(nanoseconds);
        let Some(turn) = self.variants.hot(answer.coding) else {
            return;
        };
        let entry = Arc::clone(self);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || {
                let _turn = turn;
                if let Some(bytes) = entry.variants.upgrade(answer.coding) {
                    owner.counters.upgrades.increment();
                    entry.grew(bytes);
                }
            });
        }
    }
}

impl<V> Entry<V> {
    pub(super) fn new(
        key: Key,
        validity: V,
        representation: Representation,
        compressor: Arc<Compressor>,
        shelf: &Arc<Shelf<V>>,
    ) -> Self {
        let variants = Variants::new(representation, compressor);
        let weight = size_of::<Self>() + key.len() + variants.initial_weight();
        Self {
            key,
            validity,
            variants,
            weight: AtomicU64::new(weight as u64),
            shelf: Arc::downgrade(shelf),
        }
    }

    fn grew(&self, bytes: usize) {
        self.weight.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(shelf) = self.shelf.upgrade() {
            shelf.reweigh(&self.key);
        }
    }

    /// What the answer was made from.
    pub fn validity(&self) -> &V {
        &self.validity
    }

    /// The bytes in identity.
    pub fn body(&self) -> &Bytes {
        &self.variants.identity.body
    }

    /// The tag in identity.
    pub fn tag(&self) -> Option<&EntityTag> {
        self.variants.tag.as_ref()
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Bytes of memory in use now.
    pub(super) fn weight(&self) -> u64 {
        self.weight.load(Ordering::Relaxed)
    }
}
