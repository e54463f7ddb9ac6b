//! Groups have no place in BullMQ's layout: whoever asks for one is told so, and what to do.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::{
    Flow, GroupName, JobOptions, LeaseToken, Queue, QueueName, QueueSettings, Schedule, Scheduler,
    SchedulerId, StartLimit, Transfer,
};

use super::Store;
use crate::store::{claim, raw};

fn grouped() -> JobOptions {
    JobOptions::new().group(GroupName::new("customer-42").unwrap())
}

/// The error and all its causes name the feature and the remedy.
#[track_caller]
fn told<T: std::fmt::Debug>(entry: &str, result: Result<T, impl std::error::Error + 'static>) {
    let error = result.expect_err(entry);
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    for part in ["groups are not supported", "leave the group", "sqlite:"] {
        assert!(text.contains(part), "{entry}: {text}");
    }
}

#[tokio::test]
async fn every_way_in_names_groups_and_the_way_out() {
    let store = Store::new();
    let (engine, name) = (&store.engine, QueueName::new("q").unwrap());
    let queue: Queue<u32> = Queue::new(engine, "q").unwrap();
    told("add", queue.add_with("n", &1, grouped()).await);
    let jobs = [("n", &1, JobOptions::new()), ("n", &2, grouped())];
    told("add_bulk", queue.add_bulk(jobs).await);
    let node = |options| Flow::new("q", "n", &1, options).unwrap();
    let flow = node(JobOptions::new()).child(node(grouped()));
    told("add_flow", engine.add_flow(flow).await);
    queue.add("n", &1).await.unwrap();
    let job = claim(engine, "q", &LeaseToken::random(), 1).await.remove(0);
    let children = vec![node(grouped())];
    told("children", engine.add_children(&job.lease, children).await);
    let scheduler = Scheduler {
        id: SchedulerId::new("s").unwrap(),
        schedule: Schedule::Every {
            every: Duration::from_hours(1),
            offset: None,
        },
        start: None,
        end: None,
        limit: None,
        immediately: false,
        catch_up: paceline_jobs::CatchUp::One,
        name: "n".to_owned(),
        data: raw(1),
        options: grouped(),
    };
    told("scheduler", engine.upsert_scheduler(&name, scheduler).await);
    let one = NonZeroU32::MIN;
    let rate = StartLimit {
        max: one,
        per: Duration::from_secs(1),
    };
    for settings in [
        QueueSettings::default().group_concurrency(Some(one)),
        QueueSettings::default().group_rate(Some(rate)),
    ] {
        told("set_settings", engine.set_settings(&name, settings).await);
    }
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.not_started(), counts.active), (0, 1), "{counts:?}");
}

#[tokio::test]
async fn a_move_of_a_job_with_a_group_names_them_too_and_keeps_the_job() {
    let (store, name) = (Store::new(), QueueName::new("q").unwrap());
    let (file, _folder) = crate::open();
    let queue: Queue<u32> = Queue::new(&file, "q").unwrap();
    let id = queue.add_with("n", &1, grouped()).await.unwrap().id;
    let transfer = Transfer::new(&file, &store.engine, name).once();
    told("move", transfer.run().await);
    assert!(queue.get(&id).await.unwrap().is_some());
}
