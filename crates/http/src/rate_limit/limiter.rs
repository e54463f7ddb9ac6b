//! Several policies over one store: the whole decision, without HTTP around it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::path::RequestPath;
use super::reservation::{Exceeded, Reservation};
use super::standing::{Share, Shares, Source, Standing};
use super::store::memory::MemoryStore;
use super::{LimitKey, Policy, RequestHead, Timestamp};

/// Policies, and how much of them each key has used. Clones share the counts.
///
/// A request is checked against its policies in their order, and takes its weight from each. The first
/// policy that has not enough left refuses it: what was taken before stays taken, because a refused attempt
/// is an attempt (as with stacked middlewares elsewhere), and policies after it are only looked at, to tell
/// the client about them.
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
    /// A limiter with room for [`MemoryStore::DEFAULT_CAPACITY`] counts.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        Self::with_capacity(policies, MemoryStore::DEFAULT_CAPACITY)
    }

    /// A limiter with room for `counts` counts: one per key and policy. See [`MemoryStore`] for what
    /// happens when more keys come.
    pub fn with_capacity(policies: impl IntoIterator<Item = Policy>, counts: NonZeroUsize) -> Self {
        let policies: Box<[Policy]> = policies.into_iter().collect();
        let store = MemoryStore::new(policies.iter().map(Policy::quota), counts);
        Self {
            inner: Arc::new(Inner { policies, store }),
        }
    }

    /// Takes the weight of a request of `key` in every policy, whatever its path.
    pub fn reserve(&self, key: LimitKey, now: Timestamp) -> Result<Reservation, Exceeded> {
        self.reserve_where(|_| true, None, key, now)
    }

    /// Takes the weight of a request of `key` in every policy for the request path `path`.
    pub fn reserve_at(
        &self,
        path: &str,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let path = RequestPath::new(path);
        self.reserve_where(|policy| policy.path().contains(&path), None, key, now)
    }

    /// Takes what this request weighs in every policy for its path.
    pub fn reserve_for(
        &self,
        request: &RequestHead<'_>,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let path = RequestPath::new(request.uri.path());
        let applies = |policy: &Policy| policy.path().contains(&path);
        self.reserve_where(applies, Some(request), key, now)
    }

    /// The policies, in the order they are checked.
    pub fn policies(&self) -> &[Policy] {
        &self.inner.policies
    }

    /// The store, for its size.
    pub fn store(&self) -> &MemoryStore {
        &self.inner.store
    }

    /// Something that tells this limiter from others.
    pub(super) fn identity(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    fn reserve_where(
        &self,
        applies: impl Fn(&Policy) -> bool,
        request: Option<&RequestHead<'_>>,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let policies = self.policies().iter().enumerate();
        let asks = policies
            .filter(|(_, policy)| applies(policy))
            .map(|(number, policy)| (number, policy.weight(request)));
        self.reserve_each(asks, key, now)
    }

    /// Takes so much from each of these policies, by their numbers.
    pub(super) fn reserve_each(
        &self,
        asks: impl Iterator<Item = (usize, u32)>,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<Reservation, Exceeded> {
        let mut shares = Shares::new();
        let mut refused_by = None;
        for (number, weight) in asks {
            let share = if refused_by.is_none() {
                let verdict = self.store().reserve(number, key, weight, now);
                Share::new(number, &verdict, verdict.allowed.then_some(weight))
            } else {
                Share::new(number, &self.store().peek(number, key, weight, now), None)
            };
            if share.held.is_none() {
                refused_by = refused_by.or(Some(share.policy));
            }
            shares.push(share);
        }
        let limiter = self.clone();
        match refused_by {
            None => Ok(Reservation::new(limiter, shares, key)),
            Some(policy) => {
                let standing = Standing::new(Source::Limiter(limiter), shares);
                Err(Exceeded::new(standing, policy))
            }
        }
    }
}
