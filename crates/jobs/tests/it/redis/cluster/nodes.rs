//! A real cluster of three masters, started by the tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue};

use super::super::server::Server;

const SLOTS: u16 = 16_384;

/// Three masters with a third of the slots each.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let nodes: Vec<Server> = (0..3).map(|_| node()).collect();
        let cluster = Self { nodes };
        let share = SLOTS / 3;
        for (number, node) in cluster.nodes.iter().enumerate() {
            let number = u16::try_from(number).unwrap();
            let last = if number == 2 {
                SLOTS - 1
            } else {
                (number + 1) * share - 1
            };
            let (first, last) = ((number * share).to_string(), last.to_string());
            ask::<()>(node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            let epoch = (number + 1).to_string();
            ask::<()>(node, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
        for node in &cluster.nodes[1..] {
            let port = cluster.nodes[0].port().to_string();
            ask::<()>(node, &["CLUSTER", "MEET", "127.0.0.1", &port]);
        }
        cluster.wait_until_it_works();
        cluster
    }

    /// Starts a replica of one of them.
    pub(crate) fn start_replica(&self, of: &Server) -> Server {
        let replica = node();
        let port = of.port().to_string();
        ask::<()>(&replica, &["CLUSTER", "MEET", "127.0.0.1", &port]);
        let id: String = ask(of, &["CLUSTER", "MYID"]);
        wait("the nodes meet", || {
            let all: String = ask(&replica, &["CLUSTER", "NODES"]);
            all.contains(&id)
        });
        ask::<()>(&replica, &["CLUSTER", "REPLICATE", &id]);
        wait("the replica follows, and all know it", || {
            let info: String = ask(&replica, &["INFO", "replication"]);
            let known = |node: &Server| {
                let all: String = ask(node, &["CLUSTER", "NODES"]);
                all.lines()
                    .any(|line| line.contains(&format!("slave {id}")))
            };
            info.contains("master_link_status:up") && self.nodes.iter().all(known)
        });
        replica
    }

    /// The one shared by the tests that change nothing about it.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::start());
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    /// Waits until every node knows of all slots and of all nodes.
    pub(crate) fn wait_until_it_works(&self) {
        wait("the cluster comes up", || {
            self.nodes.iter().all(|node| self.works_at(node))
        });
    }

    fn works_at(&self, node: &Server) -> bool {
        let Ok(mut connection) = node.client().get_connection() else {
            return false;
        };
        let info: String = command(&mut connection, &["CLUSTER", "INFO"]);
        let facts: HashMap<&str, &str> = info
            .lines()
            .filter_map(|line| line.trim().split_once(':'))
            .collect();
        facts["cluster_state"] == "ok"
            && facts["cluster_slots_ok"] == SLOTS.to_string()
            && facts["cluster_known_nodes"] == self.nodes.len().to_string()
    }

    /// Waits until clients have so many connections to all nodes, besides those that ask, and those of nodes that
    /// move slots.
    pub(crate) fn wait_for_clients(&self, count: usize) {
        let mut found = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let lists = self
                .nodes
                .iter()
                .map(|node| -> String { ask(node, &["CLIENT", "LIST", "TYPE", "NORMAL"]) });
            let lists: Vec<String> = lists.collect();
            let others =
                |line: &&str| !line.contains("cmd=restore") && !line.contains("cmd=client|list");
            found = lists
                .iter()
                .flat_map(|list| list.lines().filter(others))
                .map(ToOwned::to_owned)
                .collect();
            if found.len() == count {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!(
            "{count} connections in time, there are {}: {found:#?}",
            found.len()
        );
    }

    /// The address of one node: a client finds the others.
    pub(crate) fn url(&self) -> String {
        self.nodes[0].url()
    }

    /// The node that has a key.
    pub(crate) fn owner(&self, key: &str) -> &Server {
        let slot = self.slot(key);
        let has = |node: &&Server| {
            let id: String = ask(node, &["CLUSTER", "MYID"]);
            let all: String = ask(node, &["CLUSTER", "NODES"]);
            let own = all.lines().find(|line| line.starts_with(&id)).unwrap();
            own.split_whitespace().skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let bounds = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
                bounds.is_some_and(|(first, last)| (first..=last).contains(&slot))
            })
        };
        self.nodes
            .iter()
            .find(has)
            .expect("every slot has an owner")
    }

    pub(crate) fn slot(&self, key: &str) -> u16 {
        ask(&self.nodes[0], &["CLUSTER", "KEYSLOT", key])
    }
}

fn node() -> Server {
    Server::start_with(|_| {
        let settings = [
            ["--cluster-enabled", "yes"],
            ["--cluster-node-timeout", "1000"],
            ["--repl-diskless-sync-delay", "0"],
        ];
        let settings = settings.as_flattened();
        settings.iter().map(ToString::to_string).collect()
    })
}

pub(crate) fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} in time");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Asks a node.
pub(crate) fn ask<T: FromRedisValue>(node: &Server, parts: &[&str]) -> T {
    command(&mut node.connection(), parts)
}

pub(crate) fn command<T: FromRedisValue>(connection: &mut Connection, parts: &[&str]) -> T {
    let mut command = redis::cmd(parts[0]);
    command.arg(&parts[1..]).query(connection).unwrap()
}
