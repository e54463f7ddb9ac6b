//! Groups: whose turn it is, and what bounds each.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Claimed, Ending};
use paceline_jobs::{
    GroupName, JobId, JobOptions, LeaseToken, Page, Queue, QueueName, QueueSettings, StartLimit,
    State,
};

use super::Store;
use crate::store::{LEASE, claim_one, completed, failed, finish};

const WINDOW: Duration = Duration::from_secs(10);

fn queue(store: &Store) -> Queue<String> {
    Queue::new(&store.engine, "q").unwrap()
}

/// Options for a job of `group`; an empty name is no group.
fn of(group: &str) -> JobOptions {
    match group {
        "" => JobOptions::new(),
        name => JobOptions::new().group(GroupName::new(name).unwrap()),
    }
}

/// Adds a job that is called as its payload says: its group's letters, then a number.
async fn add_with(store: &Store, name: &str, change: impl Fn(JobOptions) -> JobOptions) -> JobId {
    let group = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let options = change(of(group));
    let added = queue(store).add_with("n", &name.to_owned(), options).await;
    added.unwrap().id
}

async fn add(store: &Store, names: &[&str]) {
    for name in names {
        add_with(store, name, |options| options).await;
    }
}

async fn ask(store: &Store, max: usize) -> Claimed {
    let request = ClaimRequest {
        queue: QueueName::new("q").unwrap(),
        token: LeaseToken::random(),
        max,
        lease_for: LEASE,
    };
    store.engine.claim(request).await.unwrap()
}

/// Payloads in the order served.
async fn order(store: &Store, max: usize) -> Vec<String> {
    let jobs = ask(store, max).await.jobs;
    let name = |job: &paceline_jobs::engine::ClaimedJob| {
        serde_json::from_str::<String>(job.data.get()).unwrap()
    };
    jobs.iter().map(name).collect()
}

async fn set(store: &Store, change: impl Fn(QueueSettings) -> QueueSettings) {
    let settings = change(QueueSettings::default());
    queue(store).set_settings(settings).await.unwrap();
}

fn some(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

fn rate(max: u32) -> Option<StartLimit> {
    let per = WINDOW;
    some(max).map(|max| StartLimit { max, per })
}

#[tokio::test]
async fn groups_take_turns_and_the_jobs_without_one_are_one_more_line() {
    let store = Store::new();
    add(
        &store,
        &["a1", "a2", "a3", "a4", "b1", "b2", "1", "2", "c1"],
    )
    .await;
    let expected = ["1", "a1", "b1", "c1", "2", "a2", "b2", "a3", "a4"];
    assert_eq!(order(&store, 99).await, expected);
}

#[tokio::test]
async fn turns_go_on_from_one_claim_to_the_next() {
    let store = Store::new();
    add(&store, &["a1", "a2", "a3", "b1", "b2", "b3"]).await;
    let mut seen = Vec::new();
    for max in [1, 2, 1, 2] {
        seen.extend(order(&store, max).await);
    }
    assert_eq!(seen, ["a1", "b1", "a2", "b2", "a3", "b3"]);
}

#[tokio::test]
async fn a_group_that_comes_later_stands_behind_those_that_wait() {
    let store = Store::new();
    add(&store, &["a1", "a2", "b1", "b2"]).await;
    assert_eq!(order(&store, 1).await, ["a1"]);
    add(&store, &["c1", "c2", "1"]).await;
    // b waits since longer than a was served; c came after a was served.
    assert_eq!(
        order(&store, 99).await,
        ["1", "b1", "a2", "c1", "b2", "c2"],
        "the line without a group was never served"
    );
}

#[tokio::test]
async fn inside_a_group_priority_and_order_of_arrival_hold() {
    let store = Store::new();
    add_with(&store, "a1", |options| options.priority(5)).await;
    add_with(&store, "a2", |options| options.priority(1)).await;
    add(&store, &["a3", "b1"]).await;
    add_with(&store, "a4", JobOptions::lifo).await;
    assert_eq!(order(&store, 99).await, ["a4", "b1", "a3", "a2", "a1"]);
}

#[tokio::test]
async fn jobs_tell_their_group_and_are_listed_with_the_others() {
    let store = Store::new();
    add(&store, &["a1", "1", "b1", "2"]).await;
    add_with(&store, "b2", |options| options.priority(1)).await;
    let list = async |state, offset, limit| {
        let page = Page { offset, limit };
        let page = queue(&store).list(state, page).await.unwrap();
        let names: Vec<String> = page
            .jobs
            .iter()
            .map(|job| serde_json::from_str(job.data.get()).unwrap())
            .collect();
        (names.join(" "), page.total)
    };
    let all = list(State::Waiting, 0, 9).await;
    assert_eq!(all, ("a1 1 b1 2".to_owned(), 4));
    let part = list(State::Waiting, 1, 2).await;
    assert_eq!(part, ("1 b1".to_owned(), 4));
    let first = list(State::Prioritized, 0, 9).await;
    assert_eq!(first, ("b2".to_owned(), 1));
    let a1 = ask(&store, 2).await.jobs.pop().unwrap();
    assert_eq!(a1.group, Some(GroupName::new("a").unwrap()));
    let snapshot = queue(&store).get(&a1.lease.id).await.unwrap().unwrap();
    assert_eq!(snapshot.group, a1.group);
}

#[tokio::test]
async fn each_group_has_its_own_concurrency_and_the_others_are_not_held_up() {
    let store = Store::new();
    set(&store, |all| all.group_concurrency(some(1))).await;
    add(&store, &["a1", "a2", "b1", "b2", "1", "2", "3"]).await;
    let jobs = ask(&store, 99).await;
    assert_eq!(jobs.jobs.len(), 5, "one of each group, all without one");
    assert_eq!(jobs.next_due, None, "only an end helps");
    assert!(ask(&store, 99).await.jobs.is_empty());
    let of_a = |job: &&paceline_jobs::engine::ClaimedJob| job.data.get() == "\"a1\"";
    let a1 = jobs.jobs.iter().find(of_a).unwrap();
    let mut listener = store.engine.listen(queue(&store).name());
    listener.reset();
    finish(&store.engine, a1, completed()).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(20), listener.woken());
    woken.await.expect("woken by the end");
    assert_eq!(order(&store, 99).await, ["a2"]);
    set(&store, |all| all.group_concurrency(some(2))).await;
    assert_eq!(order(&store, 99).await, ["b2"], "the new bound holds");
}

/// Every way in which a job of a group gets out of the hands of a worker, or out of the line, leaves the
/// group's counts right: then exactly one more job of it may run.
#[tokio::test]
async fn the_counts_of_a_group_are_right_through_every_transition() {
    let endings = [
        ("completed", Some(completed())),
        ("failed", Some(failed(false))),
        ("retried later", Some(failed(true))),
        ("postponed", Some(Ending::Postponed(WINDOW))),
        ("at once again", Some(Ending::Postponed(Duration::ZERO))),
        ("handed back", Some(Ending::HandedBack)),
        ("no children", Some(Ending::WaitForChildren)),
        ("stalled", None),
    ];
    for (how, ending) in endings {
        let store = Store::new();
        set(&store, |all| all.group_concurrency(some(1))).await;
        let options = |options: JobOptions| {
            let backoff = paceline_jobs::Backoff::fixed(WINDOW);
            options.attempts(2).backoff(backoff)
        };
        let first = add_with(&store, "a1", options).await;
        add(&store, &["a2"]).await;
        let gone = add_with(&store, "a3", |options| options).await;
        let due = add_with(&store, "a4", |options| options.delay(WINDOW)).await;
        let job = claim_one(&store.engine, "q").await;
        assert!(ask(&store, 9).await.jobs.is_empty(), "{how}");
        if let Some(ending) = ending {
            finish(&store.engine, &job, ending).await.unwrap();
        } else {
            store.pass(LEASE + Duration::from_secs(1));
            store.engine.sweep().await.unwrap();
        }
        queue(&store).remove(&gone).await.unwrap();
        let _ = queue(&store).promote(&due).await;
        let _ = queue(&store).retry(&first).await;
        let mut served = Vec::new();
        store.pass(WINDOW);
        loop {
            let jobs = ask(&store, 9).await.jobs;
            assert!(jobs.len() <= 1, "{how}: one of the group at a time");
            let Some(job) = jobs.first() else { break };
            served.push(job.data.get().to_owned());
            finish(&store.engine, job, completed()).await.unwrap();
        }
        served.sort();
        let again = ["\"a1\"", "\"a2\"", "\"a4\""];
        let expected = if how == "completed" {
            &again[1..]
        } else {
            &again[..]
        };
        assert_eq!(served, expected, "{how}");
    }
}

#[tokio::test]
async fn each_group_has_its_own_rate_and_asking_again_helps_when_its_window_ends() {
    let store = Store::new();
    set(&store, |all| all.group_rate(rate(2))).await;
    add(&store, &["a1", "a2", "a3", "b1", "1", "2", "3"]).await;
    let began = store.engine.now();
    let claimed = ask(&store, 99).await;
    assert_eq!(claimed.jobs.len(), 6, "all but the third of a");
    assert_eq!(claimed.next_due, Some(began.saturating_add(WINDOW)));
    for job in &claimed.jobs {
        finish(&store.engine, job, completed()).await.unwrap();
    }
    store.pass(WINDOW.saturating_sub(Duration::from_millis(1)));
    add(&store, &["b2"]).await;
    assert_eq!(order(&store, 99).await, ["b2"], "b has one start left");
    store.pass(Duration::from_millis(1));
    assert_eq!(order(&store, 99).await, ["a3"]);
}

#[tokio::test]
async fn a_group_whose_jobs_are_done_is_still_bound_by_its_window() {
    let store = Store::new();
    set(&store, |all| all.group_rate(rate(1))).await;
    add(&store, &["a1"]).await;
    let job = claim_one(&store.engine, "q").await;
    finish(&store.engine, &job, completed()).await.unwrap();
    add(&store, &["a2"]).await;
    assert!(ask(&store, 9).await.jobs.is_empty());
    store.pass(WINDOW);
    assert_eq!(order(&store, 9).await, ["a2"]);
}

#[tokio::test]
async fn a_window_that_ended_does_not_call_workers_to_a_queue_without_room() {
    let store = Store::new();
    set(&store, |all| all.group_rate(rate(1)).concurrency(some(1))).await;
    add(&store, &["a1", "a2"]).await;
    assert_eq!(order(&store, 9).await, ["a1"]);
    store.pass(WINDOW);
    let nothing = ask(&store, 9).await;
    assert!(nothing.jobs.is_empty(), "a1 is still active");
    assert_eq!(nothing.next_due, None, "only its end helps");
}

#[tokio::test]
async fn windows_of_groups_that_are_gone_are_forgotten_by_upkeep() {
    let store = Store::new();
    set(&store, |all| all.group_rate(rate(1))).await;
    add(&store, &["a1"]).await;
    let job = claim_one(&store.engine, "q").await;
    finish(&store.engine, &job, completed()).await.unwrap();
    assert_eq!(store.engine.sweep().await.unwrap().pruned, 0);
    store.pass(WINDOW);
    assert_eq!(store.engine.sweep().await.unwrap().pruned, 1);
}

#[tokio::test]
async fn the_bounds_of_the_queue_hold_over_all_its_groups() {
    let store = Store::new();
    set(&store, |all| all.concurrency(some(3)).rate(rate(4))).await;
    add(&store, &["a1", "a2", "b1", "b2", "1", "2"]).await;
    let held = ask(&store, 99).await.jobs;
    assert_eq!(held.len(), 3);
    for job in &held {
        finish(&store.engine, job, completed()).await.unwrap();
    }
    assert_eq!(order(&store, 99).await, ["2"], "the fourth of the window");
    store.pass(WINDOW);
    assert_eq!(order(&store, 99).await, ["a2", "b2"]);
}

#[tokio::test]
async fn a_thousand_groups_are_served_in_turn() {
    let store = Store::new();
    let names: Vec<String> = (0..3000).map(|n| format!("g{}x{n}", n % 1000)).collect();
    let jobs = names.iter().map(|name| {
        let group = name.split('x').next().unwrap();
        ("n", name, of(group))
    });
    queue(&store).add_bulk(jobs).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < names.len() {
        let some = order(&store, 700).await;
        assert!(!some.is_empty());
        seen.extend(some);
    }
    assert_eq!(seen, names, "one of each, then the second of each");
}
