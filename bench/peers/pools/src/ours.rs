//! Our pool, and leases of it that are never given back.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use paceline_data::pool::{Lease, Place, Pool, PoolOptions};
use paceline_data::postgres::connect::PostgresManager;

use crate::contender::{Contender, Failure, ask};

/// How long a client waits for a connection at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pool, for as many connections; everything else as it is by default.
pub fn pool(url: &str, size: usize) -> Result<Pool<PostgresManager>, Failure> {
    let manager = PostgresManager::new(url.parse()?)?;
    let size = NonZeroUsize::new(size).ok_or("a pool of none")?;
    Ok(Pool::new(
        manager,
        PoolOptions::of(Place::Server).size(size),
    ))
}

pub struct Pooled(pub Pool<PostgresManager>);

impl Contender for Pooled {
    async fn ask(&self, _client: usize) -> Result<(), Failure> {
        let lease = self.0.acquire(Instant::now() + PATIENCE).await?;
        ask(&lease).await
    }
}

/// What our connections cost without taking them: how they are opened differs from the driver's own way.
pub struct Held(Vec<Lease<PostgresManager>>);

impl Held {
    pub async fn open(url: &str, clients: usize) -> Result<Self, Failure> {
        let pool = pool(url, clients)?;
        let mut all = Vec::new();
        for _ in 0..clients {
            all.push(pool.acquire(Instant::now() + PATIENCE).await?);
        }
        Ok(Self(all))
    }
}

impl Contender for Held {
    async fn ask(&self, client: usize) -> Result<(), Failure> {
        ask(&self.0[client]).await
    }
}
