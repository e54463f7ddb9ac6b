//! Our pool, and connections without one.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use paceline_data::pool::{Lease, Place, Pool, PoolOptions};
use paceline_data::postgres::connect::{Address, PostgresManager};

use crate::Outcome;

/// What is asked. Like the peers, unnamed.
const QUESTION: &str = "SELECT 1";

/// How long a client waits for a connection at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks until the time is over. Prints questions a second.
pub(super) fn run(what: &str, url: &str, clients: u32, size: u32, seconds: u32) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let until = Duration::from_secs(seconds.into());
    let rate = runtime.block_on(async {
        let (made, mut held) = (Arc::new(AtomicU64::new(0)), Vec::new());
        let pool = match what {
            "bare" => pool(url, clients)?,
            "paceline" => pool(url, size)?,
            other => return Err(format!("no pool {other}")),
        };
        if what == "bare" {
            for _ in 0..clients {
                held.push(lease(&pool).await?);
            }
        }
        let start = Instant::now();
        let running: Vec<_> = (0..clients)
            .map(|_| {
                let (pool, made, held) = (pool.clone(), Arc::clone(&made), held.pop());
                tokio::spawn(async move {
                    while start.elapsed() < until {
                        match &held {
                            Some(connection) => ask(connection).await?,
                            None => ask(&lease(&pool).await?).await?,
                        }
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

fn pool(url: &str, size: u32) -> Outcome<Pool<PostgresManager>> {
    let address: Result<Address, _> = url.parse();
    let address = address.map_err(|error| error.to_string())?;
    let manager = PostgresManager::new(address).map_err(|error| error.to_string())?;
    let size = usize::try_from(size).ok().and_then(NonZeroUsize::new);
    let options = PoolOptions::of(Place::Server).size(size.ok_or("a pool of none")?);
    Ok(Pool::new(manager, options))
}

async fn lease(pool: &Pool<PostgresManager>) -> Outcome<Lease<PostgresManager>> {
    let lease = pool.acquire(Instant::now() + PATIENCE).await;
    lease.map_err(|error| error.to_string())
}

async fn ask(connection: &Lease<PostgresManager>) -> Outcome<()> {
    let asked = connection.query_typed(QUESTION, &[]).await;
    asked.map(drop).map_err(|error| error.to_string())
}
