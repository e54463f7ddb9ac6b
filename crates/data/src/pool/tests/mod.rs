//! The pool on connections that do what the test says, under a paused clock.

mod closing;
mod deadlines;
mod fake;
mod lending;
mod model;
mod trust;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake::{Fake, World};

use super::{Lease, ManualClock, Place, Pool, PoolOptions};

/// A pool, what it stands on, and its clock.
struct Bench {
    pool: Pool<Fake>,
    world: Arc<World>,
    clock: ManualClock,
}

impl Bench {
    fn new(size: usize) -> Self {
        Self::with(size, |options| options)
    }

    fn with(size: usize, change: impl FnOnce(PoolOptions) -> PoolOptions) -> Self {
        let world = Arc::new(World::default());
        let clock = ManualClock::default();
        let options = PoolOptions::of(Place::Server)
            .size(NonZeroUsize::new(size).unwrap())
            .clock(clock.clone());
        Self {
            pool: Pool::new(Fake(Arc::clone(&world)), change(options)),
            world,
            clock,
        }
    }

    async fn lease(&self) -> Lease<Fake> {
        self.pool.acquire(within(5_000)).await.unwrap()
    }
}

/// The time `millis` milliseconds from now, on the paused clock.
fn within(millis: u64) -> Instant {
    (tokio::time::Instant::now() + Duration::from_millis(millis)).into_std()
}

/// How many milliseconds have passed since `start`.
fn passed(start: Instant) -> u128 {
    (tokio::time::Instant::now().into_std() - start).as_millis()
}
