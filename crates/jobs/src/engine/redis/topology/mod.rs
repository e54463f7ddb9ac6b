//! Where the server is: asked each time a connection is made. One server stays where it is; sentinels know
//! which one is the master; a cluster has a node for each part of the keys.

mod access;
mod address;
mod cluster;
mod encryption;
mod endpoint;
mod in_turn;
mod sentinel;
mod slot;
mod slot_map;

pub(super) use address::Address;
pub(super) use encryption::Encryption;
pub(super) use slot::{Slot, tag};

use std::fmt;
use std::time::Duration;

use self::access::Access;
use self::address::Kind;
use self::cluster::Cluster;
use self::endpoint::Endpoint;
use self::sentinel::Sentinels;
use super::fault::RedisFault;
use super::live::Live;
use super::reply::text;

/// The longest wait for one server out of several: there are others to ask.
const ONE_OF_SEVERAL: Duration = Duration::from_secs(1);

/// What a connection is made to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The one server that has everything, wherever it is now.
    Primary,
    /// A node of a cluster.
    Node(Endpoint),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("the server"),
            Self::Node(endpoint) => endpoint.fmt(f),
        }
    }
}

/// Where the keys are.
#[derive(Debug)]
pub(super) struct Topology {
    kind: Servers,
    deadline: Duration,
}

#[derive(Debug)]
enum Servers {
    One(Access),
    Sentinels(Box<Sentinels>),
    Cluster(Cluster),
}

impl Topology {
    /// Looks what `address` leads to: any node of a cluster stands for all of it.
    pub(super) async fn find(address: Address, deadline: Duration) -> Result<Self, RedisFault> {
        let Address {
            kind,
            seeds,
            access,
            ..
        } = address;
        let kind = match kind {
            Kind::Cluster => Servers::Cluster(Cluster::new(access, seeds)),
            Kind::Sentinel(master, sentinels) => {
                let sentinels = Sentinels::new(master, seeds, *sentinels, access);
                Servers::Sentinels(Box::new(sentinels))
            }
            Kind::Server if is_cluster(&access, deadline).await? => {
                address::only_database_0(&access).map_err(RedisFault::Unusable)?;
                if seeds.is_empty() {
                    let text = "a cluster is not reached by a socket in the file system: give a host and port";
                    return Err(RedisFault::Unusable(text.to_owned()));
                }
                Servers::Cluster(Cluster::new(access, seeds))
            }
            Kind::Server => Servers::One(access),
        };
        Ok(Self { kind, deadline })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.kind, Servers::Cluster(_))
    }

    /// Whether what is asked for may soon be found elsewhere.
    pub(super) fn moves(&self) -> bool {
        !matches!(self.kind, Servers::One(_))
    }

    /// Whether there may soon be another server at `place` than the one that refused.
    pub(super) fn may_find(&self, place: &Place, fault: &RedisFault) -> bool {
        *place == Place::Primary && self.moves() && fault.may_mend()
    }

    /// How long one server is waited for.
    fn patience(&self) -> Duration {
        if self.moves() {
            (self.deadline / 4).min(ONE_OF_SEVERAL)
        } else {
            self.deadline
        }
    }

    /// Where a slot is now.
    pub(super) async fn place(&self, slot: Slot) -> Result<Place, RedisFault> {
        match &self.kind {
            Servers::Cluster(cluster) => {
                Ok(Place::Node(cluster.owner(slot, self.patience()).await?))
            }
            _ => Ok(Place::Primary),
        }
    }

    /// All places that have keys.
    pub(super) async fn places(&self) -> Result<Vec<Place>, RedisFault> {
        match &self.kind {
            Servers::Cluster(cluster) => {
                let masters = cluster.masters(self.patience()).await?;
                Ok(masters.into_iter().map(Place::Node).collect())
            }
            _ => Ok(vec![Place::Primary]),
        }
    }

    /// Connects to the server that is at `place` now. `patience` bounds the wait for each answer.
    pub(super) async fn connect(
        &self,
        place: &Place,
        patience: Duration,
    ) -> Result<Live, RedisFault> {
        let connecting = self.patience();
        let connected = match (&self.kind, place) {
            (Servers::One(access), _) => {
                Ok(Live::connect(&access.named()?, connecting, patience).await?)
            }
            (Servers::Sentinels(sentinels), _) => sentinels.connect(connecting, patience).await,
            (Servers::Cluster(cluster), Place::Node(endpoint)) => {
                let client = cluster.client(endpoint)?;
                let connected = Live::connect(&client, connecting, patience).await;
                connected.map_err(|error| RedisFault::At {
                    server: endpoint.to_string(),
                    source: Box::new(error.into()),
                })
            }
            (Servers::Cluster(_), Place::Primary) => Err(RedisFault::NoOwner(0)),
        };
        if connected.is_err()
            && let Servers::Cluster(cluster) = &self.kind
        {
            cluster.doubt();
        }
        connected
    }

    /// Waits until the one server is another one than was connected to last; for ever where it cannot be.
    pub(super) async fn moved(&self) {
        match &self.kind {
            Servers::Sentinels(sentinels) => sentinels.moved(self.patience()).await,
            _ => std::future::pending().await,
        }
    }

    /// Takes note of what was answered, or was not, at `place` about a slot.
    pub(super) fn notice(&self, slot: Slot, place: &Place, fault: &RedisFault) {
        let (Servers::Cluster(cluster), Place::Node(asked)) = (&self.kind, place) else {
            return;
        };
        match fault {
            RedisFault::Moved(error) => {
                let told = error.redirect_node();
                match told.and_then(|(to, _)| Endpoint::parse(to, &asked.host)) {
                    Some(to) => cluster.redirected(slot, &to),
                    None => cluster.doubt(),
                }
            }
            fault if fault.may_be_elsewhere() => cluster.doubt(),
            _ => {}
        }
    }
}

/// Whether the server that the address names is a node of a cluster.
async fn is_cluster(access: &Access, deadline: Duration) -> Result<bool, RedisFault> {
    // A node of a cluster refuses another database before it says that it is one.
    let client = access.in_database_0().named()?;
    let mut live = Live::connect(&client, deadline, deadline).await?;
    let mut info = redis::cmd("INFO");
    info.arg("cluster");
    let told = text(live.query(&info).await?).unwrap_or_default();
    Ok(told.lines().any(|line| line.trim() == "cluster_enabled:1"))
}
