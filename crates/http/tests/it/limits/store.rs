//! A limiter over either store, on a clock the test moves.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use paceline_http::rate_limit::shared::{Refused, SharedLimiter, SharedReservation};
use paceline_http::rate_limit::store::redis::RedisStore;
use paceline_http::rate_limit::{
    Algorithm, Clock, Exceeded, FakeClock, LimitKey, Limiter, Outcome, Policy, Quota, Reservation,
    Standing, Timestamp,
};

use super::server::Server;

pub(super) const ALGORITHMS: [Algorithm; 3] = [
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::Gcra,
];

pub(super) fn quota(algorithm: Algorithm, max: u32, seconds: u64) -> Quota {
    Quota::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(seconds))
        .unwrap()
        .with_algorithm(algorithm)
}

pub(super) fn policy(name: &str, quota: Quota) -> Policy {
    Policy::new(name, quota).unwrap()
}

/// Either limiter.
#[derive(Clone)]
pub(super) enum Store {
    Memory(Limiter, FakeClock),
    Redis(Shared, FakeClock),
}

/// A limiter, and its server for as long.
#[derive(Clone)]
pub(super) struct Shared {
    limiter: SharedLimiter,
    _server: Arc<Server>,
}

/// What either holds for a request.
pub(super) enum Held {
    Memory(Reservation),
    Redis(SharedReservation),
}

/// A prefix no other test has.
pub(super) fn prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A clock at a moment every cell of a sliding window begins at.
fn clock() -> FakeClock {
    let clock = FakeClock::default();
    clock.set(Timestamp::from_millis(1_000_000_000_000));
    clock
}

impl Store {
    /// One of each over these policies.
    pub(super) fn both(policies: &[Policy]) -> [Self; 2] {
        let (memory, redis) = (clock(), clock());
        let server = Server::shared();
        let options = server.options(&prefix()).clock(redis.clone());
        let store = RedisStore::new(&options).unwrap();
        let limiter = SharedLimiter::new(store, policies.iter().cloned())
            .unwrap()
            .without_local_denials();
        [
            Self::Memory(Limiter::new(policies.iter().cloned()), memory),
            Self::Redis(
                Shared {
                    limiter,
                    _server: server,
                },
                redis,
            ),
        ]
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Memory(..) => "memory",
            Self::Redis(..) => "redis",
        }
    }

    pub(super) fn clock(&self) -> &FakeClock {
        match self {
            Self::Memory(_, clock) | Self::Redis(_, clock) => clock,
        }
    }

    pub(super) async fn reserve(&self, key: &str) -> Result<Held, Exceeded> {
        let (key, now) = (LimitKey::of(key), self.clock().now());
        match self {
            Self::Memory(limiter, _) => limiter.reserve(key, now).map(Held::Memory),
            Self::Redis(shared, _) => match shared.limiter.reserve(key, now).await {
                Ok(held) => {
                    assert!(held.is_shared(), "the server was asked");
                    Ok(Held::Redis(held))
                }
                Err(Refused::Exceeded(exceeded)) => Err(exceeded),
                Err(other) => panic!("{other}"),
            },
        }
    }

    pub(super) async fn settle(&self, held: Held, status: u16, bytes: u64) -> Standing {
        let outcome = Outcome::new(StatusCode::from_u16(status).unwrap(), bytes);
        match held {
            Held::Memory(held) => held.settle(outcome, self.clock().now()),
            Held::Redis(held) => held.settle(outcome, self.clock().now()).await,
        }
    }

    pub(super) async fn refund(&self, held: Held) -> Standing {
        match held {
            Held::Memory(held) => held.refund(self.clock().now()),
            Held::Redis(held) => held.refund(self.clock().now()).await,
        }
    }

    /// Whether a request passes; what it took is kept.
    pub(super) async fn passes(&self, key: &str) -> bool {
        match self.reserve(key).await {
            Ok(held) => {
                drop(keep(held));
                true
            }
            Err(_) => false,
        }
    }
}

pub(super) type Look = (bool, Vec<(u32, u64)>, u64);

pub(super) fn look(passes: bool, standing: &Standing, retry_after: u64) -> Look {
    (passes, left(standing), retry_after)
}

/// Of each policy, what is left and the seconds until there is more.
pub(super) fn left(standing: &Standing) -> Vec<(u32, u64)> {
    standing
        .policies()
        .map(|(_, remaining, more_in)| (remaining, more_in.as_secs()))
        .collect()
}

pub(super) fn keep(held: Held) -> Standing {
    match held {
        Held::Memory(held) => held.keep(),
        Held::Redis(held) => held.keep(),
    }
}
