//! Counts on a Redis server, shared by all processes that ask it.
//!
//! One request is one round trip, whatever the number of its policies: one script reads, decides and writes
//! for all of them at once, by the server's own clock. The script does the arithmetic of
//! [`algorithm`](super::super::algorithm), and the tests play the same requests to both.
//!
//! A key is `PREFIX:{CLIENT}:POLICY:RULE`: the client's part in braces puts all its keys into one slot of a
//! cluster, and a policy whose quota is changed starts anew. Every key has a time to live, at most nine
//! eighths of its window and a second. `CLIENT` is an address in hexadecimal, or a digest of what it is counted by.
//!
//! Every question has a deadline. A server that fails five times in a row is left alone for a second, then
//! tried by one request. What happens to requests meanwhile is their policies'
//! [`FailMode`](super::super::FailMode).

mod breaker;
mod fault;
mod link;
mod options;
mod script;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisResult, Value};

pub use self::fault::RedisFault;
pub use self::options::{InvalidRedisUrl, RedisOptions, TooLargeForRedis};

use self::breaker::Breaker;
use self::fault::Kind;
use self::link::Link;
use self::script::{Call, Task};
use super::super::algorithm::{Gauge, Receipt, Verdict};
use super::super::{Clock, LimitKey, Policy, Quota, SystemClock, Timestamp};

/// Numbers the script answers for each policy.
const RESERVED: usize = 8;
const SETTLED: usize = 2;

/// Counts on a Redis server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    link: Link,
    prefix: Box<str>,
    rest: Duration,
    clock: SystemClock,
    /// Instead of the server's clock.
    told_time: Option<Arc<dyn Clock>>,
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
        let client = open(&options.url).map_err(InvalidRedisUrl::new)?;
        Ok(Self {
            inner: Arc::new(Inner {
                link: Link::new(client, options.deadline, options.connecting),
                prefix: options.prefix.as_str().into(),
                rest: options.rest,
                clock: SystemClock::new(),
                told_time: options.clock.clone(),
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
        let keys = self.keys(key, asks.iter().map(|ask| ask.policy));
        let algorithms = asks.iter().map(|ask| ask.policy.quota().algorithm());
        let mut call = Call::new(Task::Reserve, &keys, algorithms);
        self.push_time(&mut call);
        for ask in asks {
            push_quota(&mut call, ask.policy.quota());
            call.push(ask.cost);
        }
        let numbers = self.ask(&call, asks.len() * RESERVED).await?;
        Ok(numbers.chunks_exact(RESERVED).map(verdict).collect())
    }

    /// Makes what was taken cost what it costs after all. Answers what each policy has left where that
    /// changed anything.
    pub(in super::super) async fn settle(
        &self,
        key: LimitKey,
        tells: &[Tell<'_>],
    ) -> Result<Vec<Option<Gauge>>, RedisFault> {
        let keys = self.keys(key, tells.iter().map(|tell| tell.policy));
        let algorithms = tells.iter().map(|tell| tell.policy.quota().algorithm());
        let mut call = Call::new(Task::Settle, &keys, algorithms);
        self.push_time(&mut call);
        for tell in tells {
            push_quota(&mut call, tell.policy.quota());
            call.push(tell.reserved);
            call.push(tell.cost.min(tell.policy.quota().capacity().get()));
            call.push(tell.receipt.at.as_millis());
            call.push(tell.receipt.count);
            call.push(tell.receipt.given_back);
            call.push(tell.receipt.since.as_millis());
        }
        let numbers = self.ask(&call, tells.len() * SETTLED).await?;
        let gauge = |numbers: &[u64]| {
            Some(Gauge {
                remaining: u32::try_from(numbers[0]).ok()?,
                more_in: Duration::from_millis(numbers[1]),
            })
        };
        Ok(numbers.chunks_exact(SETTLED).map(gauge).collect())
    }

    fn keys<'policy>(
        &self,
        key: LimitKey,
        policies: impl Iterator<Item = &'policy Policy>,
    ) -> Vec<String> {
        let mut start = format!("{}:{{", self.inner.prefix);
        for byte in key.as_bytes() {
            // Writing to a String cannot fail.
            let _ = write!(start, "{byte:02x}");
        }
        let name = |policy: &Policy| {
            let quota = policy.quota();
            format!(
                "{start}}}:{}:{}-{}-{}-{}",
                policy.name(),
                quota.algorithm().name(),
                quota.max(),
                quota.capacity(),
                quota.window().as_secs()
            )
        };
        policies.map(name).collect()
    }

    fn push_time(&self, call: &mut Call) {
        match &self.inner.told_time {
            Some(clock) => call.push(clock.now().as_millis()),
            None => call.push(""),
        }
    }

    /// Asks unless the server is left alone; the breaker learns from it.
    async fn ask(&self, call: &Call, numbers: usize) -> Result<Vec<u64>, RedisFault> {
        let inner = &self.inner;
        if !lock(&inner.breaker).admits(inner.clock.now(), inner.rest) {
            return Err(RedisFault(Kind::Resting));
        }
        inner.asked.fetch_add(1, Ordering::Relaxed);
        let answer = inner.link.call(call).await;
        let answer = answer.and_then(|value| read(value, numbers));
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

fn push_quota(call: &mut Call, quota: Quota) {
    call.push(quota.algorithm().name());
    call.push(quota.max().get());
    call.push(u64::try_from(quota.window().as_millis()).unwrap_or(u64::MAX));
    call.push(quota.capacity().get());
}

/// As many numbers as were asked for. A number below zero stands for none and becomes the largest.
fn read(value: Value, expected: usize) -> Result<Vec<u64>, RedisFault> {
    let strange = || RedisFault(Kind::Strange("the numbers it was asked for"));
    let Value::Array(values) = value else {
        return Err(strange());
    };
    let number = |value: &Value| match value {
        Value::Int(number) => Ok(u64::try_from(*number).unwrap_or(u64::MAX)),
        _ => Err(strange()),
    };
    let numbers: Result<Vec<u64>, RedisFault> = values.iter().map(number).collect();
    numbers.and_then(|numbers| {
        if numbers.len() == expected {
            Ok(numbers)
        } else {
            Err(strange())
        }
    })
}

fn verdict(numbers: &[u64]) -> Verdict {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Verdict {
        allowed: numbers[0] == 1,
        gauge: Gauge {
            remaining: small(numbers[1]),
            more_in: Duration::from_millis(numbers[2]),
        },
        next_in: Duration::from_millis(numbers[3]),
        receipt: Receipt {
            at: Timestamp::from_millis(numbers[4]),
            count: small(numbers[5]),
            given_back: small(numbers[6]),
            since: Timestamp::from_millis(numbers[7]),
        },
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
