//! A Redis Cluster: which node serves a slot, asked again whenever a node says otherwise or cannot be reached.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::Client;

use super::super::fault::RedisFault;
use super::super::store::lock;
use super::access::Access;
use super::endpoint::Endpoint;
use super::in_turn::InTurn;
use super::slot::Slot;
use super::slot_map::SlotMap;

/// A map that is doubted is used for this long all the same: a cluster that is mending itself is not asked
/// by every call.
const LEAST_AGE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Cluster {
    access: Access,
    seeds: Vec<Endpoint>,
    nodes: InTurn,
    known: Mutex<Option<Known>>,
    loading: tokio::sync::Mutex<()>,
}

/// The map as it was told last.
#[derive(Debug, Clone)]
struct Known {
    map: Arc<SlotMap>,
    since: Instant,
    doubted: bool,
}

impl Cluster {
    pub(super) fn new(access: Access, seeds: Vec<Endpoint>) -> Self {
        Self {
            access,
            nodes: InTurn::new(seeds.clone()),
            seeds,
            known: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn client(&self, endpoint: &Endpoint) -> Result<Client, RedisFault> {
        Ok(self.access.to(endpoint)?)
    }

    /// The node that serves a slot.
    pub(super) async fn owner(
        &self,
        slot: Slot,
        patience: Duration,
    ) -> Result<Endpoint, RedisFault> {
        let map = self.map(patience).await?;
        let Some(owner) = map.owner(slot) else {
            self.doubt();
            return Err(RedisFault::NoOwner(slot.number()));
        };
        Ok(owner.clone())
    }

    /// The masters that serve slots.
    pub(super) async fn masters(&self, patience: Duration) -> Result<Vec<Endpoint>, RedisFault> {
        Ok(self.map(patience).await?.masters())
    }

    /// A node says that another one serves the slot.
    pub(super) fn redirected(&self, slot: Slot, to: &Endpoint) {
        let known = lock(&self.known).clone();
        if known.is_none_or(|known| known.map.owner(slot) != Some(to)) {
            self.nodes.prefer(to);
            self.doubt();
        }
    }

    /// The map may be wrong.
    pub(super) fn doubt(&self) {
        if let Some(known) = &mut *lock(&self.known) {
            known.doubted = true;
        }
    }

    fn current(&self) -> Option<Arc<SlotMap>> {
        let known = lock(&self.known).clone()?;
        let good = !known.doubted || known.since.elapsed() < LEAST_AGE;
        good.then_some(known.map)
    }

    async fn map(&self, patience: Duration) -> Result<Arc<SlotMap>, RedisFault> {
        if let Some(map) = self.current() {
            return Ok(map);
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(map) = self.current() {
            return Ok(map);
        }
        let mut ask = redis::cmd("CLUSTER");
        ask.arg("SLOTS");
        let told = self
            .nodes
            .ask(&self.access, &ask, patience, |node, answer| {
                SlotMap::read(answer, &node.host)
            })
            .await;
        let map = match told {
            Ok((map, _)) => Arc::new(map),
            Err(Some(fault)) => return Err(RedisFault::NoNode(Box::new(fault))),
            Err(None) => return Err(RedisFault::NoOwner(0)),
        };
        self.nodes.replace(&map.nodes(), &self.seeds);
        *lock(&self.known) = Some(Known {
            map: Arc::clone(&map),
            since: Instant::now(),
            doubted: false,
        });
        Ok(map)
    }
}
