//! apalis on SQLite: one measurement, one JSON line.
//!
//! `apalis-sqlite add|add-bulk|process|pick-up JOBS SECONDS CONCURRENCY`; the file is in STORE as `sqlite:FILE`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_sqlite::callback::HookCallbackListener;
use apalis_sqlite::{Config, SqlitePool, SqliteStorage};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

const BULK: u32 = 1_000;

static DONE: AtomicU32 = AtomicU32::new(0);
static NEWS: Notify = Notify::const_new();

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Payload {
    payload: String,
}

#[derive(Clone, Copy)]
struct Peer {
    jobs: u32,
    limit: Duration,
    concurrency: u32,
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u32>().expect("a number");
    let peer = Peer {
        jobs: number(1),
        limit: Duration::from_secs(number(2).into()),
        concurrency: number(3),
    };
    let store = std::env::var("STORE").expect("STORE names the file");
    let (pool, listener) = SqliteStorage::connect_with_callback(&format!("{store}?mode=rwc"))?;
    SqliteStorage::setup(&pool).await?;
    let line = match arguments[0].as_str() {
        "add" => peer.add(&pool).await?,
        "add-bulk" => peer.add_bulk(&pool, peer.limit).await?,
        "process" => peer.process(&pool, listener).await?,
        "pick-up" => peer.pick_up(&pool, listener).await?,
        other => panic!("there is no mode {other}"),
    };
    println!("{line}");
    std::process::exit(0)
}

/// 200 bytes as JSON.
fn data() -> Payload {
    Payload {
        payload: "x".repeat(200 - r#"{"payload":""}"#.len()),
    }
}

fn rate(jobs: u32, start: Instant) -> Value {
    json!({ "jobs": jobs, "seconds": start.elapsed().as_secs_f64() })
}

async fn handle(_job: Payload) -> Result<(), BoxDynError> {
    DONE.fetch_add(1, Ordering::SeqCst);
    NEWS.notify_one();
    Ok(())
}

impl Peer {
    fn storage(&self, pool: &SqlitePool) -> SqliteStorage<Payload> {
        let batch = self.concurrency.max(10) as usize;
        SqliteStorage::new(pool).with_config(Config::default().queue("bench").batch_size(batch))
    }

    async fn add(self, pool: &SqlitePool) -> Result<Value, BoxDynError> {
        static BEGUN: AtomicU32 = AtomicU32::new(0);
        let start = Instant::now();
        let mut producers = Vec::new();
        for _ in 0..self.concurrency {
            let mut storage = self.storage(pool);
            producers.push(tokio::spawn(async move {
                let mut added = 0;
                while BEGUN.fetch_add(1, Ordering::SeqCst) < self.jobs
                    && start.elapsed() < self.limit
                {
                    storage
                        .push(data())
                        .await
                        .map_err(|error| error.to_string())?;
                    added += 1;
                }
                Result::<u32, String>::Ok(added)
            }));
        }
        let mut added = 0;
        for producer in producers {
            added += producer.await??;
        }
        Ok(rate(added, start))
    }

    async fn add_bulk(self, pool: &SqlitePool, limit: Duration) -> Result<Value, BoxDynError> {
        let mut storage = self.storage(pool);
        let start = Instant::now();
        let mut added = 0;
        while added < self.jobs && start.elapsed() < limit {
            let count = BULK.min(self.jobs - added);
            storage
                .push_bulk((0..count).map(|_| data()).collect())
                .await?;
            added += count;
        }
        Ok(rate(added, start))
    }

    /// As its documentation does it for low latency: woken by the database, and looking now and then.
    fn work(self, pool: &SqlitePool, listener: HookCallbackListener) {
        let strategy = Strategy::new()
            .stream(listener.ready_chunks(self.concurrency.max(10) as usize))
            .interval(Duration::from_millis(100));
        let worker = WorkerBuilder::new("bench")
            .backend(self.storage(pool).poll_with_strategy(strategy))
            .concurrency(self.concurrency as usize)
            .build(handle);
        tokio::spawn(async move { worker.run().await });
    }

    async fn process(
        self,
        pool: &SqlitePool,
        listener: HookCallbackListener,
    ) -> Result<Value, BoxDynError> {
        self.add_bulk(pool, Duration::MAX).await?;
        let start = Instant::now();
        self.work(pool, listener);
        let all = async {
            while DONE.load(Ordering::SeqCst) < self.jobs {
                NEWS.notified().await;
            }
        };
        let _ = tokio::time::timeout(self.limit, all).await;
        Ok(rate(DONE.load(Ordering::SeqCst), start))
    }

    async fn pick_up(
        self,
        pool: &SqlitePool,
        listener: HookCallbackListener,
    ) -> Result<Value, BoxDynError> {
        self.work(pool, listener);
        let mut storage = self.storage(pool);
        let mut waits = Vec::new();
        let began = Instant::now();
        for sample in 0..self.jobs {
            // Its worker polls: a full number of samples would take minutes.
            if began.elapsed() > self.limit {
                break;
            }
            let pause = 10 + u64::from(sample.wrapping_mul(7919) % 20);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let start = Instant::now();
            storage.push(data()).await?;
            while DONE.load(Ordering::SeqCst) <= sample {
                NEWS.notified().await;
            }
            waits.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(json!({ "waits_ms": waits }))
    }
}
