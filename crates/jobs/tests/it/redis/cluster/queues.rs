//! Queues of a cluster: which ones there can be, where they lie, how many connections they take.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_jobs::{
    AddError, EngineError, EngineHandle, Flow, Job, JobError, JobOptions, Queue, QueueName,
    RedisOptions, Shutdown, State, Worker,
};

use super::super::store::{connect, fresh_prefix};
use super::nodes::{Cluster, ask};
use crate::workbench::{BOUND, reaches, until};

fn engine(cluster: &Cluster, prefix: &str) -> EngineHandle {
    connect(RedisOptions::new(cluster.url()).prefix(prefix)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_hash_tag_is_refused_with_its_name_and_what_to_do() {
    let cluster = Cluster::shared();
    let prefix = fresh_prefix();
    let engine = engine(&cluster, &prefix);
    for name in ["emails", "e}mails{", "{}emails"] {
        let queue: Queue<u32> = Queue::new(&engine, name).unwrap();
        let refused = queue.add("n", &1).await.unwrap_err();
        assert!(
            matches!(&refused, AddError::Engine(EngineError::NoHashTag { queue }) if queue.as_str() == name),
            "{refused:?}"
        );
        let text = refused.to_string();
        for part in [name, "{bull}", &format!("{{{name}}}")] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let queue: Queue<u32> = Queue::new(&engine, "emails").unwrap();
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    until(|| worker.health().last_error.is_some()).await;
    let error = worker.health().last_error.unwrap();
    assert!(error.contains("the queue emails cannot be kept"), "{error}");
    worker.stop(Duration::ZERO).await;
    for refused in [
        queue.pause().await.unwrap_err(),
        queue.info().await.unwrap_err(),
        queue.schedulers().await.unwrap_err(),
    ] {
        assert!(
            matches!(refused, EngineError::NoHashTag { .. }),
            "{refused:?}"
        );
    }
    for node in &cluster.nodes {
        let left: Vec<String> = ask(node, &["KEYS", &format!("{prefix}*")]);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tagged_queues_lie_on_all_nodes_and_all_of_them_are_worked_and_listed() {
    let cluster = Cluster::shared();
    let prefix = fresh_prefix();
    let engine = engine(&cluster, &prefix);
    let names: BTreeSet<String> = (0..9).map(|number| format!("{{q{number}}}")).collect();
    let owners: BTreeSet<u16> = names
        .iter()
        .map(|name| cluster.owner(&format!("{prefix}:{name}:")).port())
        .collect();
    assert_eq!(owners.len(), 3, "the names are spread over all nodes");
    let all = engine.events(None);
    drop(all);
    let mut workers = Vec::new();
    for name in &names {
        let queue: Queue<u32> = Queue::new(&engine, name).unwrap();
        let worker = Worker::builder(queue.clone())
            .poll(Duration::from_mins(10))
            .start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
        workers.push((queue, worker));
    }
    // Another engine adds: idle workers are woken by the markers of their own slots.
    let other = self::engine(&cluster, &prefix);
    for round in 0..2 {
        for (queue, _) in &workers {
            let foreign: Queue<u32> = Queue::new(&other, queue.name().as_str()).unwrap();
            let id = foreign.add("n", &round).await.unwrap().id;
            reaches(queue, &id, State::Completed).await;
        }
    }
    let listed = other.queues().await.unwrap();
    let listed: BTreeSet<String> = listed
        .iter()
        .filter(|queue| queue.counts.completed == 2)
        .map(|queue| queue.name.to_string())
        .collect();
    assert_eq!(listed, names);
    for (_, worker) in workers {
        worker.stop(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_over_queues_of_different_slots_is_refused_and_nothing_of_it_is_added() {
    let cluster = Cluster::shared();
    let apart = engine(&cluster, &fresh_prefix());
    let together = engine(&cluster, &format!("{{{}}}", fresh_prefix()));
    let flow = |one: &str, other: &str| {
        let child = Flow::new(other, "c", &2, JobOptions::new()).unwrap();
        let parent = Flow::new(one, "p", &1, JobOptions::new()).unwrap();
        parent.child(child)
    };
    let refused = apart
        .add_flow(flow("{orders}", "{mails}"))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, AddError::QueuesApart { .. }),
        "{refused:?}"
    );
    let text = refused.to_string();
    assert!(
        text.contains("{orders}") && text.contains("{mails}"),
        "{text}"
    );
    let orders = QueueName::new("{orders}").unwrap();
    assert!(apart.info(&orders).await.unwrap().is_none());
    apart
        .add_flow(flow("{shop}-orders", "{shop}-mails"))
        .await
        .unwrap();
    let added = together.add_flow(flow("orders", "mails")).await.unwrap();
    let job = together.get(&added.job.queue, &added.job.id).await.unwrap();
    assert_eq!(job.unwrap().state, State::WaitingChildren);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_two_connections_wherever_its_queue_lies() {
    let cluster = Cluster::start();
    let engine = engine(&cluster, "bull");
    let queue: Queue<u32> = Queue::new(&engine, "{emails}").unwrap();
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    let id = queue.add("n", &1).await.unwrap().id;
    let completed = async {
        while queue.get(&id).await.unwrap().unwrap().state != State::Completed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, completed)
        .await
        .expect("in time");
    tokio::task::block_in_place(|| cluster.wait_for_clients(2));
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_every_node() {
    let cluster = Cluster::start();
    ask::<()>(
        &cluster.nodes[2],
        &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"],
    );
    let engine = connect(RedisOptions::new(cluster.url()));
    let report = engine.doctor().await.unwrap();
    assert_eq!(report.nodes.len(), 3);
    let port = cluster.nodes[2].port();
    let worst = report.findings[0].text.as_str();
    assert!(
        worst.starts_with(&format!("127.0.0.1:{port}: maxmemory-policy")),
        "{worst}"
    );
    cluster.nodes[1].kill();
    let report = engine.doctor().await.unwrap();
    let silent = report.nodes.iter().filter(|node| node.facts.is_none());
    assert_eq!(silent.count(), 1);
    engine.stop(Duration::ZERO).await;
}

#[test]
fn another_database_than_the_first_is_refused() {
    let cluster = Cluster::shared();
    let url = format!("{}/1", cluster.url());
    let wait = super::super::store::wait_for;
    let error = wait(RedisOptions::new(url).connect()).unwrap_err();
    let error = super::super::running::with_causes(&error);
    assert!(error.contains("database 0 only"), "{error}");
}
