//! The pool on real servers: `PostgreSQL`, `PgBouncer` 1.18 and 1.24. Traps are numbered as in the project's list of
//! what breaks serverless pools.

mod connecting;
mod doctor;
mod freeze;
mod poolers;
mod process;
mod rds;
mod saturation;
mod silence;
mod tls;
mod waking;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use paceline_data::pool::{Lease, Place, Pool, PoolOptions};
use paceline_data::postgres::connect::{Address, PostgresManager};

type PgPool = Pool<PostgresManager>;

/// A pool of `size` connections to `url`, as on a server.
fn pool(url: &str, size: usize) -> PgPool {
    pool_with(
        url,
        PoolOptions::of(Place::Server).size(NonZeroUsize::new(size).unwrap()),
    )
}

fn pool_with(url: &str, options: PoolOptions) -> PgPool {
    let address: Address = url.parse().unwrap();
    Pool::new(PostgresManager::new(address).unwrap(), options)
}

/// Longer than anything takes here that is not broken.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

async fn lease(pool: &PgPool) -> Lease<PostgresManager> {
    pool.acquire(soon())
        .await
        .unwrap_or_else(|error| panic!("{}", with_causes(&error)))
}

/// The answer to a statement of one row and one column, as text.
async fn ask(pool: &PgPool, statement: &str) -> Result<String, tokio_postgres::Error> {
    let lease = lease(pool).await;
    let row = lease.query_typed_one(statement, &[]).await?;
    row.try_get(0)
}

/// An error with all that led to it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
