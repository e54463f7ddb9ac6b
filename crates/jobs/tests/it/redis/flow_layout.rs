//! Flows as they stand in Redis, and what the end of a child means.

use paceline_jobs::engine::{ClaimedJob, Ending};
use paceline_jobs::{
    AddError, ChildFailure, Flow, JobId, JobOptions, LeaseToken, Page, Queue, State,
};

use super::Store;
use crate::store::{claim, completed, failed, finish};

fn parents(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "parents").unwrap()
}

fn job(queue: &str, options: JobOptions) -> Flow {
    Flow::new(queue, "n", &1, options).unwrap()
}

async fn take(store: &Store, queue: &str) -> ClaimedJob {
    let jobs = claim(&store.engine, queue, &LeaseToken::random(), 1).await;
    jobs.into_iter().next().expect("a job is ready")
}

async fn state(store: &Store, id: &JobId) -> State {
    parents(store).get(id).await.unwrap().unwrap().state
}

/// A parent with two children in another queue, whose failure means this.
async fn family(store: &Store, failure: ChildFailure) -> (JobId, Vec<JobId>) {
    let child = || job("children", JobOptions::new().on_failure(failure));
    let flow = job("parents", JobOptions::new())
        .child(child())
        .child(child());
    let added = store.engine.add_flow(flow).await.unwrap();
    let children = added.children.iter().map(|child| child.job.id.clone());
    (added.job.id, children.collect())
}

#[tokio::test]
async fn a_parent_runs_after_its_children_and_sees_their_results() {
    let store = Store::new();
    let (parent, children) = family(&store, ChildFailure::ParentWaits).await;
    assert_eq!(state(&store, &parent).await, State::WaitingChildren);
    for left in [1, 0] {
        let child = take(&store, "children").await;
        assert_eq!(child.parent.as_ref().unwrap().id, parent);
        finish(&store.engine, &child, completed()).await.unwrap();
        let seen = parents(&store).children(&parent).await.unwrap().unwrap();
        assert_eq!((seen.pending.len(), seen.completed.len()), (left, 2 - left));
    }
    let taken = take(&store, "parents").await;
    assert_eq!(taken.lease.id, parent);
    let seen = parents(&store).children(&parent).await.unwrap().unwrap();
    let mut done: Vec<JobId> = seen
        .completed
        .iter()
        .map(|(child, _)| child.id.clone())
        .collect();
    done.sort_unstable();
    let mut expected = children;
    expected.sort_unstable();
    assert_eq!(done, expected);
    assert_eq!(seen.completed[0].1.get(), "\"done\"");
}

#[tokio::test]
async fn each_failure_option_means_what_it_says() {
    let store = Store::new();
    for (failure, after_first, after_second) in [
        (
            ChildFailure::ParentWaits,
            State::WaitingChildren,
            State::WaitingChildren,
        ),
        (ChildFailure::FailParent, State::Waiting, State::Waiting),
        (ChildFailure::ContinueParent, State::Waiting, State::Waiting),
        (
            ChildFailure::IgnoreDependency,
            State::WaitingChildren,
            State::Waiting,
        ),
        (
            ChildFailure::RemoveDependency,
            State::WaitingChildren,
            State::Waiting,
        ),
    ] {
        let (parent, _) = family(&store, failure).await;
        for (ending, expected) in [(failed(true), after_first), (completed(), after_second)] {
            let child = take(&store, "children").await;
            finish(&store.engine, &child, ending).await.unwrap();
            assert_eq!(state(&store, &parent).await, expected, "{failure:?}");
        }
        let seen = parents(&store).children(&parent).await.unwrap().unwrap();
        let counts = (
            seen.pending.len(),
            seen.completed.len(),
            seen.ignored.len(),
            seen.failed.len(),
        );
        let expected = match failure {
            ChildFailure::ParentWaits => (1, 1, 0, 0),
            ChildFailure::FailParent => (0, 1, 0, 1),
            ChildFailure::RemoveDependency => (0, 1, 0, 0),
            _ => (0, 1, 1, 0),
        };
        assert_eq!(counts, expected, "{failure:?}");
        // A parent that failed with its child is failed by whoever takes it, and not run.
        let runs = claim(&store.engine, "parents", &LeaseToken::random(), 1)
            .await
            .len();
        let expected = match failure {
            ChildFailure::ParentWaits => (0, State::WaitingChildren),
            ChildFailure::FailParent => (0, State::Failed),
            _ => (1, State::Active),
        };
        assert_eq!(
            (runs, state(&store, &parent).await),
            expected,
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_removed_child_is_not_waited_for_and_a_retried_one_is() {
    let store = Store::new();
    let (parent, children) = family(&store, ChildFailure::ParentWaits).await;
    let queue: Queue<u32> = Queue::new(&store.engine, "children").unwrap();
    let child = take(&store, "children").await;
    finish(&store.engine, &child, failed(false)).await.unwrap();
    queue.retry(&child.lease.id).await.unwrap();
    let other = children.iter().find(|id| **id != child.lease.id).unwrap();
    queue.remove(other).await.unwrap();
    assert_eq!(state(&store, &parent).await, State::WaitingChildren);
    let child = take(&store, "children").await;
    finish(&store.engine, &child, completed()).await.unwrap();
    assert_eq!(state(&store, &parent).await, State::Waiting);
}

#[tokio::test]
async fn an_active_job_adds_children_and_waits_for_them() {
    let store = Store::new();
    let queue = parents(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let parent = take(&store, "parents").await;
    let child = || vec![job("children", JobOptions::new().id("c").unwrap())];
    let added = store
        .engine
        .add_children(&parent.lease, child())
        .await
        .unwrap();
    assert!(!added[0].existing);
    let waits = finish(&store.engine, &parent, Ending::WaitForChildren)
        .await
        .unwrap();
    assert_eq!(waits, State::WaitingChildren);
    let late = store.engine.add_children(&parent.lease, child()).await;
    assert!(matches!(late, Err(AddError::LeaseLost)), "{late:?}");
    let child_job = take(&store, "children").await;
    finish(&store.engine, &child_job, completed())
        .await
        .unwrap();
    let again = take(&store, "parents").await;
    assert_eq!((again.attempt, again.lease.start), (1, 2));
    // Added once more by the attempt that goes on: it is done already.
    let added = store
        .engine
        .add_children(&again.lease, child())
        .await
        .unwrap();
    assert!(added[0].existing);
    let goes_on = finish(&store.engine, &again, Ending::WaitForChildren)
        .await
        .unwrap();
    assert_eq!(goes_on, State::Waiting, "there is nothing to wait for");
    assert_eq!(state(&store, &id).await, State::Waiting);
}

#[tokio::test]
async fn a_parent_that_ends_while_a_child_fails_it_is_failed() {
    let store = Store::new();
    let queue = parents(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let parent = take(&store, "parents").await;
    let fails_it = JobOptions::new().on_failure(ChildFailure::FailParent);
    let children = vec![job("children", fails_it)];
    store
        .engine
        .add_children(&parent.lease, children)
        .await
        .unwrap();
    let child = take(&store, "children").await;
    finish(&store.engine, &child, failed(false)).await.unwrap();
    finish(&store.engine, &parent, completed()).await.unwrap();
    assert!(
        claim(&store.engine, "parents", &LeaseToken::random(), 1)
            .await
            .is_empty()
    );
    assert_eq!(state(&store, &id).await, State::Failed);
}

#[tokio::test]
async fn a_flow_is_added_as_a_whole_or_not_at_all() {
    let store = Store::new();
    let with_id = |id: &str| JobOptions::new().id(id).unwrap();
    let first = job("parents", JobOptions::new()).child(job("children", with_id("shared")));
    store.engine.add_flow(first).await.unwrap();
    let second = job("parents", JobOptions::new())
        .child(job("children", JobOptions::new()))
        .child(job("children", with_id("shared")));
    let refused = store.engine.add_flow(second).await;
    assert!(
        matches!(refused, Err(AddError::ChildTaken { ref id, .. }) if id.as_str() == "shared"),
        "{refused:?}"
    );
    let circle = job("parents", with_id("a"))
        .child(job("parents", JobOptions::new()).child(job("parents", with_id("a"))));
    let refused = store.engine.add_flow(circle).await;
    assert!(
        matches!(refused, Err(AddError::OptionConflict(_))),
        "{refused:?}"
    );
    let list = parents(&store)
        .list(State::WaitingChildren, Page::default())
        .await
        .unwrap();
    assert_eq!(list.total, 1);
    let children: Queue<u32> = Queue::new(&store.engine, "children").unwrap();
    assert_eq!(children.info().await.unwrap().unwrap().counts.waiting, 1);
}

#[tokio::test]
async fn a_flow_over_jobs_that_are_done_goes_on_at_once() {
    let store = Store::new();
    let children: Queue<u32> = Queue::new(&store.engine, "children").unwrap();
    let with_id = || JobOptions::new().id("done").unwrap();
    children.add_with("n", &1, with_id()).await.unwrap();
    let child = take(&store, "children").await;
    finish(&store.engine, &child, completed()).await.unwrap();
    let flow = job("parents", JobOptions::new().priority(3)).child(job("children", with_id()));
    let added = store.engine.add_flow(flow).await.unwrap();
    assert!(added.children[0].existing);
    assert_eq!(state(&store, &added.job.id).await, State::Prioritized);
}
