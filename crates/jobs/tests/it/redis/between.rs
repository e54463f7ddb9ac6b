//! A queue that moves from a file to a server and back.

use std::num::NonZeroU64;
use std::time::Duration;

use paceline_jobs::{
    Backoff, CatchUp, Deduplication, EngineHandle, JobId, JobOptions, JobSnapshot, LeaseToken,
    Page, Queue, QueueName, Schedule, Scheduler, SchedulerId, State, Transfer,
};

use super::{Store, open};
use crate::store::{claim, failed, finish};

fn name() -> QueueName {
    QueueName::new("q").unwrap()
}

async fn moved(from: &EngineHandle, to: &EngineHandle) -> u64 {
    let transfer = Transfer::new(from, to, name()).failed().once();
    let report = transfer.run().await.unwrap();
    assert_eq!(report.left.total(), 0, "{report:?}");
    from.set_paused(&name(), false).await.unwrap();
    report.moved
}

async fn seen(engine: &EngineHandle, id: &JobId) -> JobSnapshot {
    engine.get(&name(), id).await.unwrap().unwrap()
}

async fn order(engine: &EngineHandle, state: State) -> Vec<String> {
    let page = engine.list(&name(), state, Page::default()).await.unwrap();
    page.jobs
        .iter()
        .map(|job| job.data.get().to_owned())
        .collect()
}

#[tokio::test]
async fn jobs_come_back_from_a_server_as_they_went() {
    let ((file, _folder), (server, _server)) = (crate::open(), open());
    let queue: Queue<u32> = Queue::new(&file, "q").unwrap();
    let retrying = JobOptions::new()
        .attempts(3)
        .backoff(Backoff::fixed(Duration::from_hours(1)));
    let retrying = queue.add_with("n", &1, retrying).await.unwrap().id;
    let dead = queue.add("n", &2).await.unwrap().id;
    let token = LeaseToken::random();
    for job in claim(&file, "q", &token, 2).await {
        finish(&file, &job, failed(true)).await.unwrap();
    }
    for (number, options) in [
        (3, JobOptions::new()),
        (4, JobOptions::new()),
        (5, JobOptions::new().priority(7)),
        (6, JobOptions::new().priority(2)),
        (7, JobOptions::new().delay(Duration::from_hours(2))),
    ] {
        queue.add_with("n", &number, options).await.unwrap();
    }
    let before = (seen(&file, &retrying).await, seen(&file, &dead).await);
    assert_eq!(moved(&file, &server).await, 7);
    for (engine, back) in [(&server, false), (&file, true)] {
        if back {
            assert_eq!(moved(&server, &file).await, 7);
        }
        assert_eq!(order(engine, State::Waiting).await, ["3", "4"]);
        assert_eq!(order(engine, State::Prioritized).await, ["6", "5"]);
        assert_eq!(order(engine, State::Delayed).await, ["1", "7"]);
        for (id, before) in [(&retrying, &before.0), (&dead, &before.1)] {
            let now = seen(engine, id).await;
            assert_eq!(now.state, before.state);
            assert_eq!(now.attempts_made, before.attempts_made);
            assert_eq!(now.max_attempts, before.max_attempts);
            assert_eq!(now.created_at, before.created_at);
            assert_eq!(now.due_at, before.due_at);
            assert_eq!(now.failed_reason, before.failed_reason);
            assert_eq!(now.finished_at, before.finished_at);
        }
    }
}

#[tokio::test]
async fn numbers_of_another_server_stay_free_for_the_jobs_they_name() {
    let (from, to) = (Store::new(), Store::new());
    let hash = |id: &str| from.key(id);
    let at = from.now().to_string();
    for id in ["7", "8"] {
        let key = hash(id);
        from.command::<i64>(&[
            "HSET",
            &key,
            "name",
            "n",
            "data",
            id,
            "opts",
            "{}",
            "timestamp",
            &at,
            "priority",
            "0",
        ]);
        from.command::<i64>(&["LPUSH", &hash("wait"), id]);
    }
    assert_eq!(moved(&from.engine, &to.engine).await, 2);
    assert_eq!(order(&to.engine, State::Waiting).await, ["7", "8"]);
    let counter: i64 = to.command(&["GET", &to.key("id")]);
    assert!(counter >= 8, "BullMQ's next job would be {}", counter + 1);
    assert_eq!(from.command::<i64>(&["EXISTS", &hash("7"), &hash("8")]), 0);
}

#[tokio::test]
async fn a_deduplication_goes_on_where_the_job_went() {
    let (from, to) = (Store::new(), Store::new());
    let hold = Deduplication::throttle("order", Duration::from_mins(10)).unwrap();
    let options = JobOptions::new().deduplication(hold);
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    let id = queue.add_with("n", &1, options.clone()).await.unwrap().id;
    assert_eq!(moved(&from.engine, &to.engine).await, 1);
    let there: Queue<u32> = Queue::new(&to.engine, "q").unwrap();
    let again = there.add_with("n", &2, options.clone()).await.unwrap();
    assert_eq!((again.id, again.existing), (id, true));
    to.pass(Duration::from_mins(11));
    assert!(!there.add_with("n", &3, options).await.unwrap().existing);
}

#[tokio::test]
async fn a_scheduler_comes_back_from_a_server_with_its_slot_and_what_it_has_left() {
    let ((file, _folder), (server, _server)) = (crate::open(), open());
    let scheduler = Scheduler {
        id: SchedulerId::new("hourly").unwrap(),
        schedule: Schedule::Every {
            every: Duration::from_hours(1),
            offset: Some(Duration::from_mins(7)),
        },
        start: None,
        end: None,
        limit: NonZeroU64::new(5),
        immediately: false,
        catch_up: CatchUp::One,
        name: "n".to_owned(),
        data: crate::store::raw(1),
        options: JobOptions::new().attempts(3),
    };
    let before = file.upsert_scheduler(&name(), scheduler).await.unwrap();
    for (from, to) in [(&file, &server), (&server, &file)] {
        let transfer = Transfer::new(from, to, name()).schedulers().once();
        let report = transfer.run().await.unwrap();
        assert_eq!((report.schedulers, report.left.total()), (1, 0));
        from.set_paused(&name(), false).await.unwrap();
        assert!(from.schedulers(&name()).await.unwrap().is_empty());
        let there = to.schedulers(&name()).await.unwrap().remove(0);
        assert_eq!((there.next, there.limit), (before.next, before.limit));
        assert_eq!(there.options, JobOptions::new().attempts(3));
    }
    let counts = server.info(&name()).await.unwrap().unwrap().counts;
    assert_eq!(counts.not_started(), 0, "the job of the slot went with it");
}
