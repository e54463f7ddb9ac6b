//! Slots that move and nodes that die while jobs flow.

use std::time::Duration;

use paceline_jobs::{EngineHandle, RedisOptions};

use super::super::running::{RESUMES_WITHIN, Running};
use super::super::server::Server;
use super::super::store::connect;
use super::nodes::{Cluster, ask, wait};

const DEADLINE: Duration = Duration::from_secs(5);

fn start(cluster: &Cluster) -> EngineHandle {
    let hosts: Vec<String> = cluster
        .nodes
        .iter()
        .map(|node| format!("127.0.0.1:{}", node.port()))
        .collect();
    let options = RedisOptions::new(format!("redis+cluster://{}", hosts.join(",")));
    let options = options
        .deadline(DEADLINE)
        .sweep_every(Duration::from_millis(200));
    connect(options).into()
}

/// Moves a slot with all its keys, as `redis-cli --cluster reshard` does.
async fn migrate(cluster: &Cluster, slot: u16, from: &Server, to: &Server) {
    let id = |node: &Server| -> String { ask(node, &["CLUSTER", "MYID"]) };
    let (from_id, to_id) = (id(from), id(to));
    let (number, port) = (slot.to_string(), to.port().to_string());
    ask::<()>(to, &["CLUSTER", "SETSLOT", &number, "IMPORTING", &from_id]);
    ask::<()>(from, &["CLUSTER", "SETSLOT", &number, "MIGRATING", &to_id]);
    loop {
        let keys: Vec<String> = ask(from, &["CLUSTER", "GETKEYSINSLOT", &number, "25"]);
        if keys.is_empty() {
            break;
        }
        let mut parts = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        parts.extend(keys.iter().map(String::as_str));
        let moved: String = ask(from, &parts);
        assert!(moved == "OK" || moved == "NOKEY", "{moved}");
        // Jobs and their locks are in two places meanwhile.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for node in [to, from] {
        ask::<()>(node, &["CLUSTER", "SETSLOT", &number, "NODE", &to_id]);
    }
    for node in cluster
        .nodes
        .iter()
        .filter(|node| node.port() != from.port())
    {
        ask::<()>(node, &["CLUSTER", "SETSLOT", &number, "NODE", &to_id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_moves_to_another_node_and_back_while_jobs_flow() {
    let cluster = Cluster::start();
    let engine = start(&cluster);
    let mut running = Running::start(&engine, "{emails}");
    running.handles(100).await;
    let key = "bull:{emails}:";
    let slot = cluster.slot(key);
    let first = cluster.owner(key);
    let other = cluster
        .nodes
        .iter()
        .find(|node| node.port() != first.port());
    let other = other.unwrap();
    for (from, to) in [(first, other), (other, first)] {
        migrate(&cluster, slot, from, to).await;
        let resumed = running.handles(1).await;
        assert!(resumed < RESUMES_WITHIN, "{resumed:?}");
        running.handles(100).await;
        let left: u64 = ask(from, &["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]);
        assert_eq!(left, 0, "nothing is written where the slot was");
        tokio::task::block_in_place(|| cluster.wait_for_clients(2));
    }
    let (produced, lost) = running.settle().await;
    assert!(lost.is_empty(), "{} lost", lost.len());
    assert_eq!(
        produced.errors,
        Vec::<String>::new(),
        "adds wait for a slot that moves"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_comes_back_and_the_worker_goes_on() {
    let cluster = Cluster::start();
    let engine = start(&cluster);
    let mut running = Running::start(&engine, "{emails}");
    running.handles(50).await;
    let owner = cluster.owner("bull:{emails}:");
    owner.kill();
    // Longer than the cluster waits for a node: by now it is down as a whole.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(owner.run());
    cluster.wait_until_it_works();
    let resumed = running.handles(1).await;
    assert!(resumed < RESUMES_WITHIN, "{resumed:?}");
    running.handles(50).await;
    let (produced, lost) = running.settle().await;
    assert!(lost.is_empty(), "every answered add is on disk");
    assert!(
        produced.longest < DEADLINE + Duration::from_secs(1),
        "{:?}",
        produced.longest
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_a_killed_node_and_the_worker_goes_on_with_it() {
    let cluster = Cluster::start();
    let key = "bull:{emails}:";
    let owner = cluster.owner(key);
    let replica = cluster.start_replica(owner);
    let engine = start(&cluster);
    let mut running = Running::start(&engine, "{emails}");
    running.handles(50).await;
    owner.kill();
    let others = cluster
        .nodes
        .iter()
        .filter(|node| node.port() != owner.port());
    let others: Vec<&Server> = others.collect();
    tokio::task::block_in_place(|| {
        wait("the replica is promoted", || {
            let works = |node: &&Server| {
                let info: String = ask(node, &["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok")
            };
            let role: String = ask(&replica, &["INFO", "replication"]);
            role.contains("role:master") && others.iter().all(works)
        });
    });
    let resumed = running.handles(1).await;
    assert!(resumed < RESUMES_WITHIN, "{resumed:?}");
    running.handles(50).await;
    let (produced, lost) = running.settle().await;
    assert!(produced.acknowledged.len() >= 100, "{produced:?}");
    assert!(
        lost.len() <= 20,
        "{} answered and not copied in time",
        lost.len()
    );
}
