//! A real cluster of two masters, of which the limiter is told one.

use std::time::{Duration, Instant};

use paceline_http::rate_limit::shared::{Refused, SharedLimiter};
use paceline_http::rate_limit::{Algorithm, Clock, LimitKey, SystemClock};
use redis::FromRedisValue;

use super::server::Server;
use super::store::{ALGORITHMS, policy, quota};

struct Cluster {
    nodes: [Server; 2],
}

impl Cluster {
    fn start() -> Self {
        let nodes = [Server::start_node(), Server::start_node()];
        ask::<()>(&nodes[0], &["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
        ask::<()>(&nodes[1], &["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
        ask::<()>(&nodes[1], &["CLUSTER", "SET-CONFIG-EPOCH", "2"]);
        let port = nodes[1].port().to_string();
        ask::<()>(&nodes[0], &["CLUSTER", "MEET", "127.0.0.1", &port]);
        let deadline = Instant::now() + Duration::from_secs(30);
        let works = |node: &Server| {
            let info: String = ask(node, &["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        };
        while !nodes.iter().all(works) {
            assert!(Instant::now() < deadline, "the cluster comes up in time");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self { nodes }
    }

    fn limiter(&self, max: u32) -> SharedLimiter {
        let policies =
            ALGORITHMS.map(|algorithm| policy(algorithm.name(), quota(algorithm, max, 3_600)));
        SharedLimiter::new(self.nodes[0].store("p"), policies)
            .unwrap()
            .without_local_denials()
    }

    /// How many keys each node has.
    fn keys(&self) -> [usize; 2] {
        [0, 1].map(|node| ask::<usize>(&self.nodes[node], &["DBSIZE"]))
    }
}

fn ask<T: FromRedisValue>(node: &Server, parts: &[&str]) -> T {
    let mut command = redis::cmd(parts[0]);
    command
        .arg(&parts[1..])
        .query(&mut node.connection())
        .unwrap()
}

async fn passes(limiter: &SharedLimiter, client: &str) -> bool {
    match limiter
        .reserve(LimitKey::of(client), SystemClock::new().now())
        .await
    {
        Ok(held) => {
            assert!(held.is_shared(), "the cluster was asked");
            drop(held.keep());
            true
        }
        Err(Refused::Exceeded(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// All at once, so that the first call holds keys of both nodes; then again, when it is known where they lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_client_of_a_cluster_gets_exactly_the_quota_on_its_own_node() {
    const CLIENTS: usize = 40;
    let cluster = Cluster::start();
    let limiter = cluster.limiter(4);
    for (round, expected) in [(0, 3 * CLIENTS), (1, CLIENTS), (2, 0)] {
        let asked: Vec<_> = (0..3 * CLIENTS)
            .map(|number| {
                let limiter = limiter.clone();
                tokio::spawn(
                    async move { passes(&limiter, &format!("c{}", number % CLIENTS)).await },
                )
            })
            .collect();
        let mut passed = 0;
        for one in asked {
            passed += usize::from(one.await.unwrap());
        }
        assert_eq!(passed, expected, "round {round}");
    }
    let [first, second] = cluster.keys();
    assert_eq!(first + second, 3 * CLIENTS);
    assert!(first > 0 && second > 0, "{first} and {second}");
    assert_eq!(limiter.store().statistics().failed, 0);
}

/// While a slot moves, a key that is not there yet is counted where the slot moves to; then it has moved.
#[tokio::test]
async fn a_client_whose_slot_moves_is_counted_on() {
    let cluster = Cluster::start();
    let quota = quota(Algorithm::FixedWindow, 2, 3_600);
    let limiter = SharedLimiter::new(cluster.nodes[0].store("p"), [policy("api", quota)]).unwrap();
    let limiter = limiter.without_local_denials();
    assert!(passes(&limiter, "someone").await);
    let from = usize::from(cluster.keys()[0] == 0);
    let (giver, heir) = (&cluster.nodes[from], &cluster.nodes[1 - from]);
    let keys: Vec<String> = ask(giver, &["KEYS", "*"]);
    let slot = ask::<u16>(giver, &["CLUSTER", "KEYSLOT", &keys[0]]).to_string();
    ask::<()>(giver, &["DEL", &keys[0]]);
    let name = |node| ask::<String>(node, &["CLUSTER", "MYID"]);
    let (giver_name, heir_name) = (name(giver), name(heir));
    ask::<()>(
        heir,
        &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &giver_name],
    );
    ask::<()>(
        giver,
        &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &heir_name],
    );
    assert!(passes(&limiter, "someone").await);
    assert_eq!(cluster.keys()[1 - from], 1, "counted by the heir");
    for node in [heir, giver] {
        ask::<()>(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &heir_name]);
    }
    for passed in [true, false] {
        assert_eq!(passes(&limiter, "someone").await, passed);
    }
    assert_eq!(cluster.keys()[from], 0);
    assert_eq!(limiter.store().statistics().failed, 0);
}

/// A node that is gone fails those whose keys it has, and nobody else.
#[tokio::test]
async fn a_node_that_is_gone_fails_its_own_clients_only() {
    let cluster = Cluster::start();
    for node in &cluster.nodes {
        ask::<()>(
            node,
            &["CONFIG", "SET", "cluster-require-full-coverage", "no"],
        );
    }
    let limiter = cluster.limiter(1_000);
    let clients: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
    for client in &clients {
        assert!(passes(&limiter, client).await);
    }
    let on_second = cluster.keys()[1] / ALGORITHMS.len();
    assert!(on_second > 0 && on_second < clients.len());
    cluster.nodes[1].kill();
    let mut shared = 0;
    for client in &clients {
        let held = limiter
            .reserve(LimitKey::of(client), SystemClock::new().now())
            .await;
        shared += usize::from(held.is_ok_and(|held| held.is_shared()));
    }
    assert_eq!(shared, clients.len() - on_second);
}
