//! Counts on a Redis server, shared by all processes that ask it.
//!
//! One request is one round trip, whatever the number of its policies: one script reads, decides and writes
//! for all of them at once, by the server's own clock. Requests that come while others are asked for wait for
//! the end of that, at most one round trip, and are asked for together. The script does the arithmetic of
//! [`algorithm`], and the tests play the same requests to both.
//!
//! A server that is a node of a Redis Cluster shows it by refusing what another node has; the others are found
//! through it, and each request then asks the node that has its keys. Sentinels are not asked.
//!
//! A key is `PREFIX:{CLIENT}:POLICY:RULE`: the client's part in braces puts all its keys into one slot of a
//! cluster, and a policy whose quota is changed starts anew. Every key has a time to live, at most nine
//! eighths of its window and a second. `CLIENT` is an address in hexadecimal, or a digest of what it is counted by.
//!
//! Every question has a deadline. A server that fails five times in a row is left alone for a second, then
//! tried by one request. What happens to requests meanwhile is their policies'
//! [`FailMode`](super::super::FailMode).

mod answer;
mod breaker;
mod fault;
mod gather;
mod link;
mod live;
mod options;
mod question;
mod script;
mod servers;
mod slots;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisResult};

pub use self::fault::RedisFault;
pub use self::options::{InvalidRedisUrl, RedisOptions, TooLargeForRedis};

use self::answer::Answer;
use self::breaker::Breaker;
use self::fault::Kind;
use self::gather::Gather;
use self::question::{Owner, Question};
use self::servers::Servers;
use super::super::algorithm::{self, Gauge, Receipt, State, Verdict};
use super::super::{Clock, LimitKey, Policy, Quota, SystemClock, Timestamp};

/// Counts on a Redis server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    gather: Arc<Gather>,
    prefix: Box<str>,
    rest: Duration,
    clock: SystemClock,
    breaker: Mutex<Breaker>,
    names: Mutex<BTreeSet<String>>,
    asked: AtomicU64,
    failed: AtomicU64,
}

/// How often the server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStatistics {
    /// Questions sent.
    pub asked: u64,
    /// Questions that got no usable answer.
    pub failed: u64,
}

/// What one policy is asked for.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Ask<'policy> {
    pub(in super::super) policy: &'policy Policy,
    pub(in super::super) cost: u32,
}

/// What one policy is told.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Tell<'policy> {
    pub(in super::super) policy: &'policy Policy,
    pub(in super::super) receipt: Receipt,
    pub(in super::super) reserved: u32,
    pub(in super::super) cost: u32,
}

impl RedisStore {
    /// A store on the server of these options. Nothing is connected yet: the first request does that, and
    /// a server that is away then is like one that goes away later.
    pub fn new(options: &RedisOptions) -> Result<Self, InvalidRedisUrl> {
        #[cfg(feature = "redis-tls")]
        {
            // Somebody may have chosen another one: that is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = open(&options.url).map_err(|_| InvalidRedisUrl)?;
        Ok(Self {
            inner: Arc::new(Inner {
                gather: Arc::new(Gather::new(Servers::new(client, options), options.deadline)),
                prefix: options.prefix.as_str().into(),
                rest: options.rest,
                clock: SystemClock::new(),
                breaker: Mutex::default(),
                names: Mutex::default(),
                asked: AtomicU64::new(0),
                failed: AtomicU64::new(0),
            }),
        })
    }

    /// How often the server was asked so far.
    pub fn statistics(&self) -> RedisStatistics {
        RedisStatistics {
            asked: self.inner.asked.load(Ordering::Relaxed),
            failed: self.inner.failed.load(Ordering::Relaxed),
        }
    }

    /// How long a failing server is left alone.
    pub(in super::super) fn rest(&self) -> Duration {
        self.inner.rest
    }

    /// Remembers the names of policies counted here; answers one that was already.
    pub(in super::super) fn claim(&self, policies: &[Policy]) -> Option<String> {
        let mut names = lock(&self.inner.names);
        let taken = policies.iter().find(|policy| names.contains(policy.name()));
        let taken = taken.map(|policy| policy.name().to_owned());
        names.extend(policies.iter().map(|policy| policy.name().to_owned()));
        taken
    }

    /// Takes from each policy in turn until one has not enough; those after it are only looked at.
    pub(in super::super) async fn reserve(
        &self,
        key: LimitKey,
        asks: &[Ask<'_>],
    ) -> Result<Vec<Verdict>, RedisFault> {
        let owner = self.owner(key);
        let mut question = Question::with_capacity(owner, asks.len());
        for ask in asks {
            question.reserve(owner, ask.policy, ask.cost);
        }
        let answer = self.ask(question).await?;
        let answered = asks.iter().zip(&answer.keys);
        let verdict = |(ask, (taken, state)): (&Ask<'_>, &(bool, State))| {
            verdict(answer.now, *state, ask.policy.quota(), ask.cost, *taken)
        };
        Ok(answered.map(verdict).collect())
    }

    /// Makes what was taken cost what it costs after all. Answers what each policy has left where that
    /// changed anything.
    pub(in super::super) async fn settle(
        &self,
        key: LimitKey,
        tells: &[Tell<'_>],
    ) -> Result<Vec<Option<Gauge>>, RedisFault> {
        let owner = self.owner(key);
        let mut question = Question::with_capacity(owner, tells.len());
        for tell in tells {
            let costs = (tell.reserved, tell.cost);
            question.settle(owner, tell.policy, costs, &tell.receipt);
        }
        let answer = self.ask(question).await?;
        let answered = tells.iter().zip(&answer.keys);
        let gauge = |(tell, (changed, state)): (&Tell<'_>, &(bool, State))| {
            changed.then(|| algorithm::gauge(answer.now, Some(*state), tell.policy.quota()))
        };
        Ok(answered.map(gauge).collect())
    }

    fn owner(&self, key: LimitKey) -> Owner<'_> {
        Owner {
            prefix: &self.inner.prefix,
            key,
        }
    }

    /// Asks unless the server is left alone; the breaker learns from it.
    async fn ask(&self, question: Question) -> Result<Answer, RedisFault> {
        let inner = &self.inner;
        if !lock(&inner.breaker).admits(inner.clock.now(), inner.rest) {
            return Err(RedisFault(Kind::Resting));
        }
        inner.asked.fetch_add(1, Ordering::Relaxed);
        let answer = inner.gather.ask(question).await;
        let mut breaker = lock(&inner.breaker);
        if answer.is_ok() {
            breaker.succeeded();
        } else {
            inner.failed.fetch_add(1, Ordering::Relaxed);
            breaker.failed(inner.clock.now(), inner.rest);
        }
        answer
    }
}

/// With the protocol in which a connection tells that it broke.
fn open(url: &str) -> RedisResult<Client> {
    let address = url.into_connection_info()?;
    let settings = address
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    Client::open(address.set_redis_settings(settings))
}

/// What the state that a request of this cost left means.
fn verdict(now: Timestamp, state: State, quota: Quota, cost: u32, allowed: bool) -> Verdict {
    let next = algorithm::decide(now, Some(state), quota, cost);
    let left = algorithm::decide(now, Some(state), quota, 0);
    Verdict {
        allowed,
        gauge: left.gauge,
        next_in: if next.allowed {
            Duration::ZERO
        } else {
            next.next_in
        },
        receipt: left.receipt,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
