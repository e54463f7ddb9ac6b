//! The engine under test on the shared cluster, each under a tagged prefix of its own.

use std::sync::Arc;
use std::time::Duration;

use paceline_jobs::{EngineHandle, ManualClock, RedisOptions};

use super::super::store::{by_hand, connect, fresh_prefix, pass_on};
use super::nodes::Cluster;

/// An engine, its clock, and the cluster.
pub(crate) struct Store {
    pub(crate) engine: EngineHandle,
    clock: ManualClock,
    cluster: Arc<Cluster>,
    prefix: String,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(RedisOptions) -> RedisOptions) -> Self {
        let cluster = Cluster::shared();
        let clock = ManualClock::starting_at(1_800_000_000_000);
        let prefix = format!("{{{}}}", fresh_prefix());
        let options = by_hand(RedisOptions::new(cluster.url()), &prefix, clock.clone());
        Self {
            engine: connect(change(options)).into(),
            clock,
            cluster,
            prefix,
        }
    }

    /// Lets time pass, for the engine and for what the servers hold for a time.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        let mut connection = self.cluster.owner(&self.prefix).connection();
        pass_on(&mut connection, &self.prefix, time);
    }
}

/// An engine on the real clock, and the cluster it needs.
pub(crate) fn open() -> (EngineHandle, Arc<Cluster>) {
    let cluster = Cluster::shared();
    let options = RedisOptions::new(cluster.url())
        .prefix(format!("{{{}}}", fresh_prefix()))
        .sweep_every(Duration::from_millis(100));
    (connect(options).into(), cluster)
}
