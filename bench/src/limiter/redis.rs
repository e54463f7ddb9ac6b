//! Decisions on Redis, beside two scripts with one key and as many bytes of arguments: one that does nothing, and one
//! that counts as simple limiters do (add, let it expire, how long it lives). All on one multiplexed connection.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use paceline_http::rate_limit::shared::SharedLimiter;
use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
use paceline_http::rate_limit::{Clock, LimitKey, SystemClock};
use redis::aio::MultiplexedConnection;

use super::memory::policy;
use crate::Outcome;
use crate::results::Results;
use crate::server::{self, Server};

/// What is asked, and its name.
const CONTENDERS: [(&str, &str); 5] = [
    ("bare", "bare EVALSHA"),
    ("counter", "bare counter"),
    ("fixed-window", "fixed window"),
    ("sliding-window", "sliding window"),
    ("gcra", "GCRA"),
];

/// A script that does nothing.
const NOTHING: &str = "return 1";
/// The least that limits: a count that expires, and when.
const COUNTER: &str = "local count = redis.call('INCRBY', KEYS[1], 1) \
    if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end \
    return {count, redis.call('PTTL', KEYS[1])}";
/// Besides the window, as long as what a decision is told of its quota.
const ARGUMENT: [u8; 34] = [7; 34];

/// One server; each contender asks it in turn, one request at a time, 8 and 64 at once.
pub(super) fn measure(seconds: &str, results: &mut Results) -> Outcome<()> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let address = server::free_address()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path());
    let url = format!("redis://{address}");
    let client = redis::Client::open(url.as_str()).map_err(|error| error.to_string())?;
    let _server = Server::start_when(&mut command, address, || client.get_connection().is_ok())?;
    for tasks in ["1", "8", "64"] {
        for (what, name) in CONTENDERS {
            let [rate] = super::numbers(&["redis", &url, what, tasks, seconds])?;
            results.figure(
                &format!("limiter, Redis, {tasks} at once, {name}, a second"),
                rate,
            );
        }
    }
    Ok(())
}

/// Asks until the time is over. Prints questions a second.
pub(super) fn ask(url: &str, what: &str, tasks: u64, seconds: u64) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let until = Duration::from_secs(seconds);
    let rate = runtime.block_on(async {
        let contender = Contender::new(url, what).await?;
        let (made, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let (mut contender, made) = (contender.clone(), Arc::clone(&made));
                tokio::spawn(async move {
                    while start.elapsed() < until {
                        contender.ask(task).await?;
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<(), String>(())
                })
            })
            .collect();
        for task in running {
            task.await.map_err(|error| error.to_string())??;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let made = made.load(Ordering::Relaxed) as f64;
        Ok::<f64, String>(made / start.elapsed().as_secs_f64())
    })?;
    println!("{rate}");
    Ok(())
}

#[derive(Clone)]
enum Contender {
    Bare(MultiplexedConnection, String),
    Limiter(SharedLimiter, SystemClock),
}

impl Contender {
    async fn new(url: &str, what: &str) -> Outcome<Self> {
        let script = match what {
            "bare" => Some(NOTHING),
            "counter" => Some(COUNTER),
            _ => None,
        };
        if let Some(script) = script {
            let client = redis::Client::open(url).map_err(|error| error.to_string())?;
            let connection = client.get_multiplexed_async_connection().await;
            let mut connection = connection.map_err(|error| error.to_string())?;
            let hash = redis::cmd("SCRIPT")
                .arg("LOAD")
                .arg(script)
                .query_async(&mut connection)
                .await
                .map_err(|error| error.to_string())?;
            return Ok(Self::Bare(connection, hash));
        }
        let options = RedisOptions::new(url).deadline(Duration::from_secs(5));
        let store = RedisStore::new(&options).map_err(|error| error.to_string())?;
        let policies = [policy(what, 1_000_000)?];
        let limiter = SharedLimiter::new(store, policies).map_err(|error| error.to_string())?;
        Ok(Self::Limiter(limiter, SystemClock::new()))
    }

    async fn ask(&mut self, task: u64) -> Outcome<()> {
        match self {
            Self::Bare(connection, hash) => redis::cmd("EVALSHA")
                .arg(&*hash)
                .arg(1)
                .arg(format!("bare:{task}"))
                .arg(900_000)
                .arg(&ARGUMENT[..])
                .query_async::<redis::Value>(connection)
                .await
                .map(drop)
                .map_err(|error| error.to_string()),
            Self::Limiter(limiter, clock) => {
                let key = LimitKey::of(task.to_le_bytes());
                match limiter.reserve(key, clock.now()).await {
                    Ok(reservation) if reservation.is_shared() => Ok(()),
                    Ok(_) => Err("the server was not asked".to_owned()),
                    Err(refused) => Err(refused.to_string()),
                }
            }
        }
    }
}
