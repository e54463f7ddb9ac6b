//! Several policies over one server, and what happens without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use smallvec::SmallVec;

use super::super::path::RequestPath;
use super::super::standing::{Share, Shares, Source, Standing};
use super::super::store::redis::{Ask, RedisFault, RedisStore, Tell, TooLargeForRedis};
use super::super::{
    Exceeded, FailMode, LimitKey, Limiter, Outcome, Policy, RequestHead, Timestamp,
};
use super::denials::Denials;
use super::reservation::{Place, SharedReservation};
use super::{Refused, StoreUnavailable};

/// Policies, counted on a server that several processes share. Clones share the connection.
///
/// It is asked as [`Limiter`] is, and answers by the server's clock; `now` is this process' own time, for
/// what is counted here while the server is away.
#[derive(Debug, Clone)]
pub struct SharedLimiter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    policies: Arc<[Policy]>,
    store: RedisStore,
    /// What counts while the server is away.
    local: Limiter,
    denials: Denials,
    asks_always: AtomicBool,
    denied_here: AtomicU64,
    is_away: AtomicBool,
    /// A policy another limiter counts on the same store under the same name.
    claimed_twice: Option<String>,
}

/// Policies by their numbers, and what to take from each.
pub(super) type Asks = SmallVec<[(usize, u32); 2]>;

impl SharedLimiter {
    /// Counts these policies in `store`.
    ///
    /// # Errors
    /// When a quota is too large for the server's arithmetic.
    pub fn new(
        store: RedisStore,
        policies: impl IntoIterator<Item = Policy>,
    ) -> Result<Self, TooLargeForRedis> {
        let policies: Arc<[Policy]> = policies.into_iter().collect();
        for policy in policies.iter() {
            TooLargeForRedis::check(policy)?;
        }
        let claimed_twice = store.claim(&policies);
        Ok(Self {
            inner: Arc::new(Inner {
                local: Limiter::new(policies.iter().cloned()),
                policies,
                store,
                denials: Denials::new(),
                asks_always: AtomicBool::new(false),
                denied_here: AtomicU64::new(0),
                is_away: AtomicBool::new(false),
                claimed_twice,
            }),
        })
    }

    /// Asks the server for every request, also for keys it has just refused. Every attempt then counts in
    /// the policies before the one that refuses.
    #[must_use]
    pub fn without_local_denials(self) -> Self {
        self.inner.asks_always.store(true, Ordering::Relaxed);
        self
    }

    /// Takes the weight of a request of `key` in every policy, whatever its path.
    pub async fn reserve(
        &self,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<SharedReservation, Refused> {
        let policies = self.policies().iter().enumerate();
        let asks = policies.map(|(number, policy)| (number, policy.weight(None)));
        self.reserve_each(asks.collect(), key, now).await
    }

    /// Takes what this request weighs in every policy for its path.
    pub async fn reserve_for(
        &self,
        request: &RequestHead<'_>,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<SharedReservation, Refused> {
        self.reserve_each(self.asks(request), key, now).await
    }

    /// The policies, in the order they are checked.
    pub fn policies(&self) -> &[Policy] {
        &self.inner.policies
    }

    /// The store.
    pub fn store(&self) -> &RedisStore {
        &self.inner.store
    }

    /// How many requests were refused without asking the server, because it had refused their key before.
    pub fn denied_here(&self) -> u64 {
        self.inner.denied_here.load(Ordering::Relaxed)
    }

    pub(super) fn identity(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    pub(super) fn claimed_twice(&self) -> Option<&str> {
        self.inner.claimed_twice.as_deref()
    }

    /// The policies for this request.
    pub(super) fn asks(&self, request: &RequestHead<'_>) -> Asks {
        let path = RequestPath::new(request.uri.path());
        let policies = self.policies().iter().enumerate();
        let applies = policies.filter(|(_, policy)| policy.path().contains(&path));
        applies
            .map(|(number, policy)| (number, policy.weight(Some(request))))
            .collect()
    }

    pub(super) async fn reserve_each(
        &self,
        asks: Asks,
        key: LimitKey,
        now: Timestamp,
    ) -> Result<SharedReservation, Refused> {
        if asks.is_empty() {
            return Ok(SharedReservation(Place::Unlimited(
                self.standing(Shares::new()),
            )));
        }
        if let Some(exceeded) = self.denied(&asks, key, now) {
            self.inner.denied_here.fetch_add(1, Ordering::Relaxed);
            return Err(exceeded.into());
        }
        let questions: SmallVec<[Ask<'_>; 2]> = asks
            .iter()
            .map(|(policy, cost)| Ask {
                policy: &self.policies()[*policy],
                cost: *cost,
            })
            .collect();
        match self.store().reserve(key, &questions).await {
            Ok(verdicts) => {
                self.note(None);
                self.judge(&asks, &verdicts, key, now)
            }
            Err(fault) => {
                self.note(Some(&fault));
                self.without_server(&asks, key, now, fault)
            }
        }
    }

    /// The refusal that is known here already.
    fn denied(&self, asks: &Asks, key: LimitKey, now: Timestamp) -> Option<Exceeded> {
        if self.inner.asks_always.load(Ordering::Relaxed) {
            return None;
        }
        let mut asks = asks.iter();
        asks.find_map(|(policy, cost)| self.inner.denials.find(key, *policy, *cost, now))
    }

    fn judge(
        &self,
        asks: &Asks,
        verdicts: &[super::super::algorithm::Verdict],
        key: LimitKey,
        now: Timestamp,
    ) -> Result<SharedReservation, Refused> {
        let answered = asks.iter().zip(verdicts);
        let shares = answered
            .clone()
            .map(|((policy, cost), verdict)| {
                Share::new(*policy, verdict, verdict.allowed.then_some(*cost))
            })
            .collect();
        let standing = self.standing(shares);
        let mut answered = answered;
        let Some(((policy, cost), verdict)) = answered.find(|(_, verdict)| !verdict.allowed) else {
            return Ok(SharedReservation(Place::Shared {
                limiter: self.clone(),
                standing,
                key,
            }));
        };
        let number = u32::try_from(*policy).expect("policies are counted in 32 bits");
        let exceeded = Exceeded::new(standing, number);
        // What may be given back any moment is asked for again.
        if self.policies()[*policy].cost().is_fixed() {
            let holds = (now, verdict.next_in);
            self.inner
                .denials
                .add(key, *policy, *cost, holds, &exceeded);
        }
        Err(exceeded.into())
    }

    fn without_server(
        &self,
        asks: &Asks,
        key: LimitKey,
        now: Timestamp,
        fault: RedisFault,
    ) -> Result<SharedReservation, Refused> {
        let mode = |number: usize| self.policies()[number].fail_mode();
        let mut numbers = asks.iter().map(|(policy, _)| *policy);
        if let Some(closed) = numbers.find(|number| mode(*number) == FailMode::Closed) {
            return Err(Refused::Unavailable(StoreUnavailable {
                policy: self.policies()[closed].name().to_owned(),
                fault,
                retry_after: self.store().rest(),
            }));
        }
        let local = asks
            .iter()
            .copied()
            .filter(|(policy, _)| mode(*policy) == FailMode::Local);
        let reservation = self.inner.local.reserve_each(local, key, now)?;
        Ok(SharedReservation(Place::Local(reservation)))
    }

    /// Makes what is held cost what it costs after this outcome; nothing at all without one.
    pub(super) async fn settle(
        &self,
        mut standing: Standing,
        key: LimitKey,
        outcome: Option<Outcome>,
    ) -> Standing {
        let changes = standing.changes(outcome);
        let tells: SmallVec<[Tell<'_>; 2]> = changes
            .iter()
            .filter_map(|(index, cost)| {
                let share = standing.shares()[*index];
                let held = share.held?;
                Some(Tell {
                    policy: &self.policies()[share.policy as usize],
                    receipt: held.receipt,
                    reserved: held.units,
                    cost: *cost,
                })
            })
            .collect();
        if tells.is_empty() {
            return standing;
        }
        match self.store().settle(key, &tells).await {
            Ok(gauges) => {
                self.note(None);
                for ((index, _), gauge) in changes.iter().zip(gauges) {
                    if let Some(gauge) = gauge {
                        standing.shares_mut()[*index].set_gauge(gauge);
                    }
                }
            }
            Err(fault) => self.note(Some(&fault)),
        }
        standing
    }

    fn standing(&self, shares: Shares) -> Standing {
        Standing::new(Source::Policies(Arc::clone(&self.inner.policies)), shares)
    }

    /// Tells once that the server went away, and once that it is back.
    fn note(&self, fault: Option<&RedisFault>) {
        let away = &self.inner.is_away;
        match fault {
            Some(fault) => {
                if !away.swap(true, Ordering::Relaxed) {
                    let cause = std::error::Error::source(fault).map(ToString::to_string);
                    tracing::warn!(cause, "limits go on without their store: {fault}");
                }
            }
            None => {
                if away.load(Ordering::Relaxed) && away.swap(false, Ordering::Relaxed) {
                    tracing::info!("limits are back on their store");
                }
            }
        }
    }
}
