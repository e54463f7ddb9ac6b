//! What an operator sees of single jobs and does to them.

use std::time::Duration;

use paceline_jobs::engine::{Ending, Finish, JobChange, Renewal, Search};
use paceline_jobs::{
    Backoff, JobId, JobOptions, LeaseError, LeaseToken, Limits, ManageError, Page, Queue,
    QueueName, State,
};

use crate::store::{LEASE, Store, claim, completed, failed, finish, raw};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

async fn counts(queue: &Queue<u32>) -> paceline_jobs::QueueCounts {
    queue
        .info()
        .await
        .unwrap()
        .map_or_else(Default::default, |info| info.counts)
}

/// Claims and completes everything, and gives the payloads in the order served.
async fn served(store: &Store) -> Vec<String> {
    let token = LeaseToken::random();
    let mut order = Vec::new();
    loop {
        let jobs = claim(&store.engine, "q", &token, 500).await;
        if jobs.is_empty() {
            return order;
        }
        order.extend(jobs.iter().map(|job| job.data.get().to_owned()));
        let endings = jobs.iter().map(|job| Finish {
            lease: job.lease.clone(),
            ending: completed(),
        });
        store.engine.finish(endings.collect()).await.unwrap();
    }
}

async fn add(queue: &Queue<u32>, number: u32, options: JobOptions) -> JobId {
    queue.add_with("n", &number, options).await.unwrap().id
}

#[tokio::test]
async fn logs_are_cut_counted_and_belong_to_the_lease_holder() {
    let store = Store::with(|options| {
        let mut limits = Limits::default();
        limits.logs = 5;
        limits.log_line = 4;
        options.limits(limits)
    });
    let queue = queue(&store);
    let page = |offset, limit| Page { offset, limit };
    let id = add(&queue, 1, JobOptions::new()).await;
    let few = add(&queue, 2, JobOptions::new().keep_logs(2)).await;
    let none = add(&queue, 3, JobOptions::new().keep_logs(0)).await;
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 3).await;
    for line in ["one", "two", "three", "4", "5", "6", "zéér"] {
        for job in &jobs {
            store.engine.log(&job.lease, line.to_owned()).await.unwrap();
        }
    }
    let kept = queue.logs(&id, page(0, 10)).await.unwrap();
    assert_eq!(
        (kept.lines.as_slice(), kept.total),
        (&["thre", "4", "5", "6", "zé"].map(str::to_owned)[..], 5)
    );
    let part = queue.logs(&id, page(1, 2)).await.unwrap();
    assert_eq!(
        (part.lines, part.total),
        (vec!["4".to_owned(), "5".to_owned()], 5)
    );
    assert_eq!(
        queue.logs(&few, page(0, 10)).await.unwrap().lines,
        ["6", "zé"]
    );
    assert_eq!(queue.logs(&none, page(0, 10)).await.unwrap().total, 0);
    finish(&store.engine, &jobs[0], completed()).await.unwrap();
    let late = store.engine.log(&jobs[0].lease, "late".to_owned()).await;
    assert!(matches!(late, Err(LeaseError::LeaseLost)), "{late:?}");
    assert_eq!(
        queue.logs(&id, page(0, 10)).await.unwrap().total,
        5,
        "kept with the job"
    );
    queue.remove(&id).await.unwrap();
    assert_eq!(queue.logs(&id, page(0, 10)).await.unwrap().total, 0);
}

#[tokio::test]
async fn searches_find_by_state_name_and_text_newest_first() {
    let store = Store::new();
    let queue: Queue<String> = Queue::new(&store.engine, "q").unwrap();
    let other: Queue<String> = Queue::new(&store.engine, "other").unwrap();
    let mut ids = Vec::new();
    for (name, payload) in [
        ("mail", "to ada"),
        ("mail", "to bob"),
        ("report", "about ada"),
        ("mail", "again to ada"),
    ] {
        ids.push(queue.add(name, &payload.to_owned()).await.unwrap().id);
        other.add(name, &payload.to_owned()).await.unwrap();
    }
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    finish(&store.engine, &job, failed(false)).await.unwrap();
    let search = |states: &[State], name: Option<&str>, text: Option<&str>| {
        let mut search = Search::default();
        search.states = states.to_vec();
        search.name = name.map(str::to_owned);
        search.text = text.map(str::to_owned);
        search
    };
    let id = ids[1].to_string();
    for (wanted, found) in [
        (search(&[], None, None), vec![3, 2, 1, 0]),
        (search(&[], None, Some("ada")), vec![3, 2, 0]),
        (search(&[], Some("mail"), Some("ada")), vec![3, 0]),
        (search(&[State::Waiting], Some("mail"), None), vec![3, 1]),
        (search(&[State::Failed, State::Active], None, None), vec![0]),
        (search(&[], None, Some("it broke")), vec![0]),
        (search(&[], None, Some(&id[4..20])), vec![1]),
        (search(&[], None, Some("nobody")), vec![]),
    ] {
        let page = queue.search(wanted.clone(), Page::default()).await.unwrap();
        let expected: Vec<_> = found
            .iter()
            .map(|index: &usize| ids[*index].clone())
            .collect();
        let got: Vec<_> = page.jobs.iter().map(|job| job.id.clone()).collect();
        assert_eq!(
            (got, page.total),
            (expected, found.len() as u64),
            "{wanted:?}"
        );
    }
    let page = Page {
        offset: 1,
        limit: 1,
    };
    let part = queue
        .search(search(&[], None, Some("ada")), page)
        .await
        .unwrap();
    assert_eq!(
        (part.jobs[0].id.clone(), part.jobs.len(), part.total),
        (ids[2].clone(), 1, 3)
    );
}

#[tokio::test]
async fn a_priority_is_changed_in_each_state_that_has_a_line_to_come() {
    let store = Store::new();
    let queue = queue(&store);
    let one = add(&queue, 1, JobOptions::new()).await;
    add(&queue, 2, JobOptions::new()).await;
    let three = add(&queue, 3, JobOptions::new().priority(5)).await;
    add(&queue, 4, JobOptions::new().priority(3)).await;
    let later = JobOptions::new().delay(Duration::from_secs(1)).priority(9);
    let five = add(&queue, 5, later).await;
    queue.change_priority(&one, 4).await.unwrap();
    queue.change_priority(&three, 0).await.unwrap();
    queue.change_priority(&five, 1).await.unwrap();
    let now = counts(&queue).await;
    assert_eq!((now.waiting, now.prioritized, now.delayed), (2, 2, 1));
    store.clock.advance(Duration::from_secs(1));
    assert_eq!(served(&store).await, ["2", "3", "5", "4", "1"]);
    let refused = queue.change_priority(&one, 1).await.unwrap_err();
    assert!(
        matches!(refused, ManageError::WrongState(State::Completed)),
        "{refused}"
    );
}

#[tokio::test]
async fn a_payload_is_changed_until_the_job_has_ended_within_the_limit() {
    let store = Store::with(|options| {
        let mut limits = Limits::default();
        limits.payload = 3;
        options.limits(limits)
    });
    let queue = queue(&store);
    let id = add(&queue, 1, JobOptions::new()).await;
    queue.update_data(&id, &22).await.unwrap();
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    assert_eq!(job.data.get(), "22");
    queue.update_data(&id, &33).await.unwrap();
    finish(&store.engine, &job, failed(false)).await.unwrap();
    assert_eq!(queue.get(&id).await.unwrap().unwrap().data.get(), "33");
    let name = QueueName::new("q").unwrap();
    let large = JobChange::Data(raw(4444));
    let refused = store.engine.change(&name, &id, large).await.unwrap_err();
    assert!(
        matches!(
            refused,
            ManageError::TooLarge {
                size: 4,
                max: 3,
                ..
            }
        ),
        "{refused}"
    );
    let refused = queue.update_data(&id, &5).await.unwrap_err();
    assert!(
        matches!(refused, ManageError::WrongState(State::Failed)),
        "{refused}"
    );
}

#[tokio::test]
async fn trap_7_a_delay_changed_to_earlier_wakes_the_sleeping_worker() {
    let store = Store::new();
    let queue = queue(&store);
    let id = add(&queue, 1, JobOptions::new().delay(Duration::from_hours(1))).await;
    let mut listener = store.engine.listen(queue.name());
    listener.reset();
    queue
        .change_delay(&id, Duration::from_secs(2))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(20), listener.woken())
        .await
        .expect("woken by the change");
    assert!(served(&store).await.is_empty());
    store.clock.advance(Duration::from_secs(2));
    assert_eq!(served(&store).await, ["1"]);
    let refused = queue.change_delay(&id, Duration::ZERO).await.unwrap_err();
    assert!(
        matches!(refused, ManageError::WrongState(State::Completed)),
        "{refused}"
    );
}

#[tokio::test]
async fn trap_7_thousands_in_one_millisecond_and_times_after_2039_keep_their_order() {
    let store = Store::new();
    let queue = queue(&store);
    let numbers: Vec<u32> = (0..5_000).collect();
    // A fraction of a millisecond is dropped.
    let delay = Duration::from_micros(1_500);
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new().delay(delay)));
    queue.add_bulk(jobs).await.unwrap();
    let far = Duration::from_hours(24 * 365 * 80);
    add(&queue, 9_999, JobOptions::new().delay(far)).await;
    assert!(served(&store).await.is_empty());
    store.clock.advance(Duration::from_millis(1));
    let expected: Vec<String> = numbers.iter().map(u32::to_string).collect();
    assert_eq!(served(&store).await, expected);
    store.clock.advance(far);
    assert_eq!(served(&store).await, ["9999"], "in 2050 or so");
}

#[tokio::test]
async fn trap_7_clocks_that_differ_by_five_seconds_cost_time_and_nothing_else() {
    let store = Store::new();
    let behind = paceline_jobs::ManualClock::starting_at(1_000_000 - 5_000);
    let options = paceline_jobs::SqliteOptions::new(store.folder.path().join("jobs.db"));
    let second = paceline_jobs::EngineHandle::from(options.clock(behind.clone()).open().unwrap());
    let queue = queue(&store);
    add(&queue, 1, JobOptions::new().delay(Duration::from_secs(1))).await;
    store.clock.advance(Duration::from_secs(1));
    let token = LeaseToken::random();
    assert!(
        claim(&second, "q", &token, 1).await.is_empty(),
        "not due by the late clock"
    );
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    // The late clock sees a lease that runs longer, the early one a lease that runs: nobody takes it away.
    second.sweep().await.unwrap();
    assert_eq!(counts(&queue).await.active, 1);
    let held = second.renew(vec![job.lease.clone()], LEASE).await.unwrap();
    assert_eq!(held, [Renewal::Held]);
    finish(&second, &job, completed()).await.unwrap();
    assert_eq!(counts(&queue).await.completed, 1);
}

#[tokio::test]
async fn a_cancelled_job_fails_for_good_however_its_attempt_ends() {
    let store = Store::new();
    let queue = queue(&store);
    let token = LeaseToken::random();
    let retried = || {
        JobOptions::new()
            .attempts(9)
            .backoff(Backoff::fixed(Duration::from_secs(1)))
    };
    let id = add(&queue, 1, retried()).await;
    let refused = queue.cancel(&id).await.unwrap_err();
    assert!(
        matches!(refused, ManageError::WrongState(State::Waiting)),
        "{refused}"
    );
    queue.remove(&id).await.unwrap();
    let wait = Duration::from_secs(1);
    for ending in [failed(true), Ending::HandedBack, Ending::Postponed(wait)] {
        let id = add(&queue, 1, retried()).await;
        let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
        let mut listener = store.engine.listen_cancellations(queue.name());
        queue.cancel(&id).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), listener.cancelled())
            .await
            .expect("told at once");
        let renewed = store
            .engine
            .renew(vec![job.lease.clone()], LEASE)
            .await
            .unwrap();
        assert_eq!(renewed, [Renewal::CancelRequested]);
        assert_eq!(
            finish(&store.engine, &job, ending).await.unwrap(),
            State::Failed
        );
        let reason = queue.get(&id).await.unwrap().unwrap().failed_reason;
        assert_eq!(reason.as_deref(), Some("the job was cancelled"));
    }
    // The worker that was asked dies.
    let id = add(&queue, 1, retried()).await;
    claim(&store.engine, "q", &token, 1).await;
    queue.cancel(&id).await.unwrap();
    store.clock.advance(LEASE + wait);
    store.engine.sweep().await.unwrap();
    assert_eq!(queue.get(&id).await.unwrap().unwrap().state, State::Failed);
    // The work was done before it was heard: that stands. A retry starts afresh.
    let id = add(&queue, 1, retried()).await;
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    queue.cancel(&id).await.unwrap();
    assert_eq!(
        finish(&store.engine, &job, completed()).await.unwrap(),
        State::Completed
    );
    assert_eq!(queue.retry_all().await.unwrap(), 4);
    let again = claim(&store.engine, "q", &token, 10).await;
    let leases = again.iter().map(|job| job.lease.clone()).collect();
    let renewed = store.engine.renew(leases, LEASE).await.unwrap();
    assert_eq!(renewed, [Renewal::Held; 4]);
}
