//! Schedulers stored by one side, whose jobs are made and run by the other.

use std::collections::HashSet;
use std::time::Duration;

use paceline_jobs::{CatchUp, JobOptions, Schedule, Scheduler, SchedulerId, State};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::world::{QUEUE, World, eventually, text};

const EVERY: Duration = Duration::from_millis(200);

/// Ticks five times a second.
pub(crate) fn ours(id: &str) -> Scheduler {
    let every = Schedule::Every {
        every: EVERY,
        offset: None,
    };
    scheduler(id, every, &json!({ "answer": 1 }))
}

/// A scheduler with nothing but a schedule.
pub(crate) fn scheduler(id: &str, schedule: Schedule, data: &Value) -> Scheduler {
    Scheduler {
        id: SchedulerId::new(id).unwrap(),
        schedule,
        start: None,
        end: None,
        limit: None,
        immediately: false,
        catch_up: CatchUp::Skip,
        name: "tick".to_owned(),
        data: to_raw_value(data).unwrap(),
        options: JobOptions::new(),
    }
}

async fn node_stores(world: &World, id: &str) {
    let template = json!({ "name": "tick", "data": { "answer": 1 } });
    let command = json!({
        "queue": QUEUE, "scheduler": id, "repeat": { "every": 200 }, "template": template,
    });
    world.node.call("upsertScheduler", command).await;
}

/// Each slot ran once, however many workers there were.
pub(crate) fn once_each(jobs: &[String]) {
    let different: HashSet<&String> = jobs.iter().collect();
    assert_eq!(different.len(), jobs.len(), "a slot ran twice: {jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_workers_carry_on_a_scheduler_of_node() {
    let world = World::new().await;
    node_stores(&world, "beat").await;
    let known = world.engine.schedulers(world.queue().name()).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].id.as_str(), &*known[0].name), ("beat", "tick"));
    let worker = OurWorker::start(&world.engine, QUEUE, 2);
    eventually("five slots", async || {
        (worker.runs().len() >= 5).then_some(())
    })
    .await;
    once_each(&worker.jobs());
    assert!(worker.runs().iter().all(|run| run.name == "tick"));
    let id = SchedulerId::lookup("beat");
    assert!(
        world
            .engine
            .remove_scheduler(world.queue().name(), &id)
            .await
            .unwrap()
    );
    let left = world
        .node
        .call("schedulers", json!({ "queue": QUEUE }))
        .await;
    assert_eq!(left, json!([]), "Node sees it gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_node_carry_on_a_scheduler_of_ours() {
    let world = World::new().await;
    world
        .engine
        .upsert_scheduler(world.queue().name(), ours("beat"))
        .await
        .unwrap();
    let known = world
        .node
        .call("schedulers", json!({ "queue": QUEUE }))
        .await;
    assert_eq!(
        (&known[0]["key"], &known[0]["name"]),
        (&json!("beat"), &json!("tick"))
    );
    assert_eq!(known[0]["every"].to_string().trim_matches('"'), "200");
    world.node_works(2).await;
    let ran = || -> Vec<String> {
        world
            .node
            .all("ran")
            .iter()
            .map(|run| text(&run["job"]))
            .collect()
    };
    eventually("five slots", async || (ran().len() >= 5).then_some(())).await;
    once_each(&ran());
    let command = json!({ "queue": QUEUE, "scheduler": "beat" });
    world.node.call("removeScheduler", command).await;
    assert!(
        world
            .engine
            .schedulers(world.queue().name())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_both_share_one_scheduler_and_no_slot_runs_twice() {
    let world = World::new().await;
    node_stores(&world, "beat").await;
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    world.node_works(1).await;
    // Both store it again while it runs: that doubles nothing.
    world
        .engine
        .upsert_scheduler(world.queue().name(), ours("beat"))
        .await
        .unwrap();
    node_stores(&world, "beat").await;
    let ran = || -> Vec<String> {
        let theirs = world.node.all("ran");
        let theirs = theirs.iter().map(|run| text(&run["job"]));
        theirs.chain(worker.jobs()).collect()
    };
    eventually("eight slots", async || (ran().len() >= 8).then_some(())).await;
    once_each(&ran());
    let counts = world.node.call("counts", json!({ "queue": QUEUE })).await;
    assert!(
        counts["delayed"].as_u64().unwrap() <= 1,
        "one slot ahead: {counts}"
    );
    assert_eq!(counts["failed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_with_a_zone_means_the_same_instants_to_both() {
    let world = World::new().await;
    let repeat = json!({ "pattern": "0 30 2 * * *", "tz": "Europe/Berlin" });
    let command = json!({ "queue": QUEUE, "scheduler": "theirs", "repeat": repeat, "template": { "name": "n" } });
    world.node.call("upsertScheduler", command).await;
    let cron = Schedule::Cron {
        pattern: "0 30 2 * * *".to_owned(),
        zone: "Europe/Berlin".to_owned(),
    };
    let ours = scheduler("ours", cron, &json!({}));
    world
        .engine
        .upsert_scheduler(world.queue().name(), ours)
        .await
        .unwrap();
    let known = world
        .node
        .call("schedulers", json!({ "queue": QUEUE }))
        .await;
    let next: Vec<&Value> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["next"])
        .collect();
    assert_eq!((next.len(), next[0]), (2, next[1]), "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_a_template_of_node_reach_our_jobs() {
    let world = World::new().await;
    let template = json!({ "name": "n", "data": { "fail": { "times": 9, "message": "x" } }, "opts": { "attempts": 2 } });
    let command = json!({ "queue": QUEUE, "scheduler": "s", "repeat": { "every": 60_000, "limit": 1 }, "template": template });
    let id = text(&world.node.call("upsertScheduler", command).await);
    let _worker = OurWorker::start(&world.engine, QUEUE, 1);
    let job = world.we_see(&id, |job| job.state == State::Failed).await;
    assert_eq!((job.attempts_made, job.max_attempts), (2, 2));
}
