//! Queues that move from one store to another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paceline_jobs::{
    Backoff, EngineHandle, Imported, Job, JobError, JobOptions, LeaseToken, Page, Queue, QueueName,
    Retention, Shutdown, SqliteEngine, State, Transfer, Worker,
};
use tokio::sync::mpsc;

use crate::store::{Store, claim, completed, failed, finish};

fn name() -> QueueName {
    QueueName::new("q").unwrap()
}

async fn data_of(engine: &EngineHandle, state: State) -> Vec<String> {
    let page = Page {
        offset: 0,
        limit: 1_000,
    };
    let found = engine.list(&name(), state, page).await.unwrap();
    let text = |job: &paceline_jobs::JobSnapshot| job.data.get().to_owned();
    found.jobs.iter().map(text).collect()
}

async fn left(engine: &EngineHandle) -> u64 {
    let counts = engine.info(&name()).await.unwrap().unwrap().counts;
    counts.not_started() + counts.active + counts.failed
}

#[tokio::test]
async fn order_payload_bytes_attempts_delay_and_backoff_are_kept() {
    let (from, to) = (Store::new(), Store::new());
    let queue = from.engine.queue("q").unwrap();
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let tried = JobOptions::new()
        .attempts(4)
        .backoff(Backoff::exponential(Duration::from_secs(10)));
    let tried = queue.add_with("kind", &raw("{\"n\" : 1.50}"), tried).await;
    let tried = tried.unwrap().id;
    let token = LeaseToken::random();
    let job = claim(&from.engine, "q", &token, 1).await.pop().unwrap();
    finish(&from.engine, &job, failed(true)).await.unwrap();
    for (text, options) in [
        ("2", JobOptions::new()),
        ("3", JobOptions::new().lifo()),
        ("4", JobOptions::new().priority(9)),
        ("5", JobOptions::new().priority(1)),
    ] {
        queue.add_with("kind", &raw(text), options).await.unwrap();
    }
    let due = queue.get(&tried).await.unwrap().unwrap().due_at;
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    let report = transfer.run().await.unwrap();
    assert_eq!((report.moved, report.left.total()), (5, 0));
    assert_eq!(left(&from.engine).await, 0);
    assert_eq!(data_of(&to.engine, State::Waiting).await, ["3", "2"]);
    assert_eq!(data_of(&to.engine, State::Prioritized).await, ["5", "4"]);
    let moved = to.engine.get(&name(), &tried).await.unwrap().unwrap();
    assert_eq!(moved.data.get(), "{\"n\" : 1.50}");
    assert_eq!((moved.attempts_made, moved.max_attempts), (1, 4));
    assert_eq!((moved.state, moved.due_at), (State::Delayed, due));
    assert_eq!(moved.failed_reason.as_deref(), Some("it broke"));
    // The second failure waits twice as long as the first: the backoff came along.
    to.clock.advance(Duration::from_secs(10));
    let jobs = claim(&to.engine, "q", &token, 9).await;
    let again = jobs.iter().find(|job| job.lease.id == tried).unwrap();
    assert_eq!(again.attempt, 2);
    finish(&to.engine, again, failed(true)).await.unwrap();
    let waits = to.engine.get(&name(), &tried).await.unwrap().unwrap();
    let wait = waits.due_at.unwrap().saturating_since(to.engine.now());
    assert_eq!(wait, Duration::from_secs(20));
}

#[tokio::test]
async fn the_source_stays_paused_and_the_target_goes_on() {
    let (from, to) = (Store::new(), Store::new());
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    let report = transfer.run().await.unwrap();
    assert!(!report.target_paused);
    assert!(from.engine.info(&name()).await.unwrap().unwrap().paused);
    assert!(!to.engine.info(&name()).await.unwrap().unwrap().paused);
    to.engine.set_paused(&name(), true).await.unwrap();
    queue.add("n", &2).await.unwrap();
    from.engine.set_paused(&name(), false).await.unwrap();
    assert!(transfer.run().await.unwrap().target_paused);
    assert!(to.engine.info(&name()).await.unwrap().unwrap().paused);
    let kept = transfer.clone().keep_paused();
    assert!(kept.run().await.unwrap().target_paused);
    assert!(to.engine.info(&name()).await.unwrap().unwrap().paused);
    // Both are paused, as a move that was killed leaves them.
    assert!(!transfer.run().await.unwrap().target_paused);
    assert!(!to.engine.info(&name()).await.unwrap().unwrap().paused);
}

#[tokio::test]
async fn failed_jobs_stay_failed_and_go_over_only_when_asked_for() {
    let (from, to) = (Store::new(), Store::new());
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let token = LeaseToken::random();
    let job = claim(&from.engine, "q", &token, 1).await.pop().unwrap();
    finish(&from.engine, &job, failed(true)).await.unwrap();
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    assert_eq!(transfer.run().await.unwrap().moved, 0);
    let report = transfer.failed().run().await.unwrap();
    assert_eq!((report.moved, report.failed), (1, 1));
    let moved = to.engine.get(&name(), &id).await.unwrap().unwrap();
    assert_eq!(moved.state, State::Failed);
    assert_eq!(moved.failed_reason.as_deref(), Some("it broke"));
    to.engine.retry(&name(), &id).await.unwrap();
    assert_eq!(claim(&to.engine, "q", &token, 9).await.len(), 1);
    assert_eq!(left(&from.engine).await, 0);
}

#[tokio::test]
async fn a_move_killed_between_add_and_removal_doubles_nothing_when_run_again() {
    let (from, to) = (Store::new(), Store::new());
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    for number in 0..10 {
        let none_kept = JobOptions::new().keep_completed(Retention::NONE);
        queue.add_with("n", &number, none_kept).await.unwrap();
    }
    // What a killed move leaves: the source paused, the target paused, the jobs in both.
    from.engine.set_paused(&name(), true).await.unwrap();
    to.engine.set_paused(&name(), true).await.unwrap();
    let page = Page {
        offset: 0,
        limit: 5,
    };
    let batch = from.engine.export(&name(), State::Waiting, page).await;
    to.engine.import(&name(), batch.unwrap()).await.unwrap();
    let token = LeaseToken::random();
    assert!(
        claim(&to.engine, "q", &token, 99).await.is_empty(),
        "nothing runs while both stores hold it"
    );
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    let report = transfer.run().await.unwrap();
    assert_eq!((report.moved, report.resent), (10, 5));
    let jobs = claim(&to.engine, "q", &token, 99).await;
    assert_eq!(jobs.len(), 10, "each once, and the target goes on");
    for job in &jobs {
        finish(&to.engine, job, completed()).await.unwrap();
    }
    assert_eq!(transfer.run().await.unwrap().moved, 0);
}

#[tokio::test]
async fn another_job_with_the_same_id_is_not_taken_for_the_same_job() {
    let (from, to) = (Store::new(), Store::new());
    let id = JobOptions::new().id("order-17").unwrap();
    let (old, new) = (
        Queue::<u32>::new(&from.engine, "q").unwrap(),
        Queue::<u32>::new(&to.engine, "q").unwrap(),
    );
    old.add_with("n", &1, id.clone()).await.unwrap();
    to.clock.advance(Duration::from_secs(1));
    new.add_with("n", &2, id).await.unwrap();
    old.add("n", &3).await.unwrap();
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    let report = transfer.run().await.unwrap();
    assert_eq!((report.moved, report.left.taken), (1, 1));
    assert_eq!(data_of(&from.engine, State::Waiting).await, ["1"]);
    assert_eq!(data_of(&to.engine, State::Waiting).await, ["2", "3"]);
}

#[tokio::test]
async fn what_an_import_answers() {
    let (from, to) = (Store::new(), Store::new());
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    let page = Page::default();
    let jobs = from.engine.export(&name(), State::Waiting, page).await;
    let jobs = jobs.unwrap();
    let mut other = jobs.clone();
    other[0].name = "another".to_owned();
    for (jobs, expected) in [
        (jobs.clone(), Imported::Added),
        (jobs, Imported::Existing),
        (other, Imported::Taken),
    ] {
        let answered = to.engine.import(&name(), jobs).await.unwrap();
        assert_eq!(answered, [expected]);
    }
    assert_eq!(left(&to.engine).await, 1);
}

/// Both sides live: producers add to the old store, workers run on the new one, each job is done once.
#[tokio::test(flavor = "multi_thread")]
async fn producers_keep_adding_and_workers_of_the_target_run_each_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        |file: &str| EngineHandle::from(SqliteEngine::open(folder.path().join(file)).unwrap());
    let (from, to) = (open("old.db"), open("new.db"));
    let (told, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(Queue::<u32>::new(&to, "q").unwrap())
        .concurrency(4)
        .start(move |job: Job<u32>| {
            let told = told.clone();
            async move {
                told.send(*job.data()).unwrap();
                Ok::<_, JobError>(())
            }
        });
    let queue: Queue<u32> = Queue::new(&from, "q").unwrap();
    let none_kept = JobOptions::new().keep_completed(Retention::NONE);
    let numbers: Vec<u32> = (0..2_000).collect();
    let jobs = numbers[..1_000].iter();
    let jobs = jobs.map(|number| ("n", number, none_kept.clone()));
    queue.add_bulk(jobs).await.unwrap();
    let adding = Arc::new(AtomicBool::new(true));
    let producer = {
        let (adding, queue) = (Arc::clone(&adding), queue.clone());
        let rest = numbers[1_000..].to_vec();
        tokio::spawn(async move {
            for number in rest {
                let options = JobOptions::new().keep_completed(Retention::NONE);
                queue.add_with("n", &number, options).await.unwrap();
            }
            adding.store(false, Ordering::SeqCst);
        })
    };
    let mut moved = 0;
    while adding.load(Ordering::SeqCst) || left(&from).await > 0 {
        let transfer = Transfer::new(&from, &to, name()).once();
        moved += transfer.run().await.unwrap().moved;
    }
    producer.await.unwrap();
    assert_eq!(moved, 2_000);
    let mut seen = BTreeSet::new();
    while seen.len() < numbers.len() {
        let next = tokio::time::timeout(Duration::from_secs(20), heard.recv());
        let number = next.await.expect("in time").unwrap();
        assert!(seen.insert(number), "{number} ran twice");
    }
    worker.stop(Duration::from_secs(5)).await;
    assert!(heard.try_recv().is_err(), "nothing runs twice");
}

#[tokio::test]
async fn active_jobs_are_waited_for_and_what_is_left_of_them_goes_over() {
    let (from, to) = (Store::new(), Store::new());
    let queue: Queue<u32> = Queue::new(&from.engine, "q").unwrap();
    queue
        .add_with("n", &1, JobOptions::new().attempts(2))
        .await
        .unwrap();
    let token = LeaseToken::random();
    let job = claim(&from.engine, "q", &token, 1).await.pop().unwrap();
    let transfer = Transfer::new(&from.engine, &to.engine, name()).once();
    let hasty = transfer.clone().wait_for_active(Duration::ZERO);
    assert_eq!(hasty.run().await.unwrap().left.active, 1);
    let running = tokio::spawn(async move { transfer.run().await });
    finish(&from.engine, &job, failed(true)).await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.moved, report.left.total()), (1, 0));
    let again = claim(&to.engine, "q", &token, 1).await.pop().unwrap();
    assert_eq!(again.attempt, 2);
}
