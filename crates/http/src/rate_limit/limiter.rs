//! Several policies over one store: the whole decision, without HTTP around it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::path::RequestPath;
use super::reservation::{Exceeded, Reservation};
use super::standing::{Share, Shares, Standing};
use super::store::memory::MemoryStore;
use super::{LimitKey, Policy, Timestamp};

/// Policies, and how much of them each key has used. Clones share the counts.
///
/// A request is checked against its policies in their order, and takes a slot of each. The first policy
/// that is used up refuses it: slots taken before stay taken, because a refused attempt is an attempt
/// (as with stacked middlewares elsewhere), and policies after it are only looked at, to tell the client
/// about them.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use paceline_http::rate_limit::{LimitKey, Limiter, Policy, Quota, Timestamp};
///
/// let quota = Quota::new(NonZeroU32::new(1).unwrap(), Duration::from_hours(1))?;
/// let limiter = Limiter::new([Policy::new("mails", quota)?]);
/// let key = LimitKey::of("someone@example.com");
///
/// let now = Timestamp::from_millis(0);
/// limiter.reserve(key, now)?.keep();
/// let exceeded = limiter.reserve(key, now).unwrap_err();
/// assert_eq!(exceeded.retry_after(), Duration::from_hours(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Limiter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    policies: Box<[Policy]>,
    store: MemoryStore,
}

impl Limiter {
    /// A limiter with room for [`MemoryStore::DEFAULT_CAPACITY`] windows.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        Self::with_capacity(policies, MemoryStore::DEFAULT_CAPACITY)
    }

    /// A limiter with room for `windows` windows: one per key and policy. See [`MemoryStore`] for what
    /// happens when more keys come.
    pub fn with_capacity(
        policies: impl IntoIterator<Item = Policy>,
        windows: NonZeroUsize,
    ) -> Self {
        let policies: Box<[Policy]> = policies.into_iter().collect();
        let store = MemoryStore::new(policies.len(), windows);
        Self {
            inner: Arc::new(Inner { policies, store }),
        }
    }

    /// Takes a slot of `key` in every policy, whatever its path.
    pub fn reserve(&self, key: LimitKey, now: Timestamp) -> Result<Reservation, Exceeded> {
        self.reserve_where(|_| true, key, now)
    }

    /// Takes a slot of `key` in every policy for the request path `path`.
    pub fn reserve_at(
        &self,
        path: &str,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let path = RequestPath::new(path);
        self.reserve_where(|policy| policy.path().contains(&path), key, now)
    }

    /// The policies, in the order they are checked.
    pub fn policies(&self) -> &[Policy] {
        &self.inner.policies
    }

    /// The store, for its size.
    pub fn store(&self) -> &MemoryStore {
        &self.inner.store
    }

    fn reserve_where(
        &self,
        applies: impl Fn(&Policy) -> bool,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let mut shares = Shares::new();
        let mut refused_by = None;
        for (number, policy) in self.policies().iter().enumerate() {
            if !applies(policy) {
                continue;
            }
            let quota = policy.quota();
            let share = if refused_by.is_none() {
                let slot = self.store().reserve(number, quota, key, now);
                let held = slot.taken.then_some(slot.generation);
                Share::new(number, slot.window, held, quota, now)
            } else {
                let window = self.store().peek(number, quota, key, now);
                Share::new(number, window, None, quota, now)
            };
            if share.slot.is_none() {
                refused_by = refused_by.or(Some(share.policy));
            }
            shares.push(share);
        }
        let standing = Standing::new(self.clone(), shares);
        match refused_by {
            Some(policy) => Err(Exceeded::new(standing, policy)),
            None => Ok(Reservation::new(standing, key)),
        }
    }
}
