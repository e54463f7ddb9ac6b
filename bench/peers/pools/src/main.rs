//! Other pools: `pools WHAT URL CLIENTS SIZE SECONDS` takes a connection, asks a trivial question, and returns it,
//! with so many clients on so many connections. Prints questions a second.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::{ManagerConfig, RecyclingMethod};
use tokio_postgres::{Client, NoTls};

const QUESTION: &str = "SELECT 1";

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, url, clients, size, seconds] = words.as_slice() else {
        return Err("pools WHAT URL CLIENTS SIZE SECONDS".into());
    };
    let (clients, size) = (clients.parse()?, size.parse()?);
    let until = Duration::from_secs(seconds.parse()?);
    let rate = match what.as_str() {
        "deadpool" => {
            let method = RecyclingMethod::Fast;
            deadpool(url, clients, size, until, method).await?
        }
        "deadpool-verified" => {
            let method = RecyclingMethod::Verified;
            deadpool(url, clients, size, until, method).await?
        }
        "bb8" => bb8(url, clients, size, until).await?,
        other => return Err(format!("no pool {other}").into()),
    };
    println!("{rate}");
    Ok(())
}

async fn deadpool(
    url: &str,
    clients: u32,
    size: u32,
    until: Duration,
    recycling_method: RecyclingMethod,
) -> Result<f64, Failure> {
    let config = ManagerConfig { recycling_method };
    let manager = deadpool_postgres::Manager::from_config(url.parse()?, NoTls, config);
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(size as usize)
        .build()?;
    run(clients, until, move || {
        let pool = pool.clone();
        async move {
            let client = pool.get().await?;
            ask(&client).await
        }
    })
    .await
}

async fn bb8(url: &str, clients: u32, size: u32, until: Duration) -> Result<f64, Failure> {
    let manager = bb8_postgres::PostgresConnectionManager::new(url.parse()?, NoTls);
    let pool = bb8::Pool::builder().max_size(size).build(manager).await?;
    run(clients, until, move || {
        let pool = pool.clone();
        async move {
            let client = pool.get_owned().await?;
            ask(&client).await
        }
    })
    .await
}

async fn ask(client: &Client) -> Result<(), Failure> {
    client.query_typed(QUESTION, &[]).await?;
    Ok(())
}

async fn run<F, A>(clients: u32, until: Duration, asking: F) -> Result<f64, Failure>
where
    F: Fn() -> A + Clone + Send + 'static,
    A: Future<Output = Result<(), Failure>> + Send,
{
    let (made, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let running: Vec<_> = (0..clients)
        .map(|_| {
            let (asking, made) = (asking.clone(), Arc::clone(&made));
            tokio::spawn(async move {
                while start.elapsed() < until {
                    asking().await?;
                    made.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    Ok(made.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}
