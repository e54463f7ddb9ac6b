//! Decisions in memory.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::{Duration, Instant};

use paceline_http::rate_limit::{Algorithm, Clock, LimitKey, Limiter, Policy, Quota, SystemClock};

use crate::Outcome;
use crate::server::resident_of;

/// Decisions between two looks at the watch.
const BATCH: u64 = 4_096;

pub(super) fn policy(algorithm: &str, max: u32) -> Outcome<Policy> {
    let algorithm = match algorithm {
        "fixed-window" => Algorithm::FixedWindow,
        "sliding-window" => Algorithm::SlidingWindow,
        "gcra" => Algorithm::Gcra,
        other => return Err(format!("there is no algorithm {other:?}")),
    };
    let max = NonZeroU32::new(max).ok_or("a quota of nothing")?;
    let quota = Quota::new(max, Duration::from_mins(15)).map_err(|error| error.to_string())?;
    Policy::new("api", quota.with_algorithm(algorithm)).map_err(|error| error.to_string())
}

/// Whole decisions as the layer makes them: the time, the counts, what is left. Prints them a second and
/// thread.
pub(super) fn decide(algorithm: &str, keys: u64, threads: u64, seconds: u64) -> Outcome<()> {
    let room = usize::try_from(keys * 2).unwrap_or(usize::MAX).max(1_024);
    let room = NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN);
    let limiter = Limiter::with_capacity([policy(algorithm, 1_000_000_000)?], room);
    let clock = SystemClock::new();
    for client in 0..keys {
        drop(limiter.reserve(key(client), clock.now()));
    }
    let until = Duration::from_secs(seconds);
    let rates: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (limiter, clock) = (&limiter, &clock);
                scope.spawn(move || decisions(limiter, clock, keys, thread, until))
            })
            .collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|rate| rate.unwrap_or(0.0)).collect()
    });
    #[expect(clippy::cast_precision_loss, reason = "a handful of threads")]
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    println!("{mean}");
    Ok(())
}

fn decisions(limiter: &Limiter, clock: &SystemClock, keys: u64, seed: u64, until: Duration) -> f64 {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let (start, mut made) = (Instant::now(), 0u64);
    while start.elapsed() < until {
        for _ in 0..BATCH {
            // xorshift64: another key each time, in no order.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if let Ok(reservation) = limiter.reserve(key(random % keys), clock.now()) {
                std::hint::black_box(reservation.keep());
            }
        }
        made += BATCH;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let made = made as f64;
    made / start.elapsed().as_secs_f64()
}

/// The key of a client, made where it is used: a request brings its address along, no table of them is waited for.
fn key(client: u64) -> LimitKey {
    // IPv6 networks, one after the other.
    IpAddr::from((u128::from(client) << 72).to_be_bytes()).into()
}

/// So many keys, each once. Prints decisions a second, counts held, their bytes, resident bytes.
pub(super) fn flood(keys: u64, room: u64) -> Outcome<()> {
    let room = usize::try_from(room).ok().and_then(NonZeroUsize::new);
    let limiter = Limiter::with_capacity(
        [policy("fixed-window", 100)?],
        room.ok_or("room for nothing")?,
    );
    let (clock, start) = (SystemClock::new(), Instant::now());
    for client in 0..keys {
        if limiter.reserve(key(client), clock.now()).is_err() {
            return Err("a new client was refused".to_owned());
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = keys as f64 / start.elapsed().as_secs_f64();
    let (held, bytes) = (limiter.store().len(), limiter.store().allocated_bytes());
    println!("{rate} {held} {bytes} {}", resident_of(std::process::id()));
    Ok(())
}
