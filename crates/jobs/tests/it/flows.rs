//! Jobs that wait for other jobs: when a parent goes on, and that it does so once.

use std::time::Duration;

use paceline_jobs::engine::{ClaimedJob, Ending};
use paceline_jobs::{
    AddedFlow, ChildFailure, Children, EngineHandle, Flow, JobEventKind, JobId, JobOptions,
    LeaseError, LeaseToken, Limits, ManageError, QueueName, Received, Retention, State,
};

use super::Store;
use crate::store::{LEASE, claim, claim_one, completed, failed, finish, raw, state_of};

fn node(queue: &str, options: JobOptions) -> Flow {
    Flow::new(queue, "n", &1, options).unwrap()
}

fn child(failure: ChildFailure) -> Flow {
    node("children", JobOptions::new().on_failure(failure))
}

/// A parent in `parents` with these children.
async fn add(store: &Store, children: impl IntoIterator<Item = Flow>) -> AddedFlow {
    let parent = node("parents", JobOptions::new());
    let flow = children.into_iter().fold(parent, Flow::child);
    store.engine.add_flow(flow).await.unwrap()
}

async fn state(engine: &EngineHandle, flow: &AddedFlow) -> Option<State> {
    state_of(engine, flow.job.queue.as_str(), &flow.job.id).await
}

async fn children_of(engine: &EngineHandle, flow: &AddedFlow) -> Children {
    let found = engine.children(&flow.job.queue, &flow.job.id).await;
    found.unwrap().unwrap()
}

/// Pending, completed, ignored, failed.
async fn kinds(engine: &EngineHandle, flow: &AddedFlow) -> (usize, usize, usize, usize) {
    let found = children_of(engine, flow).await;
    (
        found.pending.len(),
        found.completed.len(),
        found.ignored.len(),
        found.failed.len(),
    )
}

async fn end(store: &Store, queue: &str, ending: Ending) -> ClaimedJob {
    let job = claim_one(&store.engine, queue).await;
    finish(&store.engine, &job, ending).await.unwrap();
    job
}

fn returns(value: &str) -> Ending {
    Ending::Completed { result: raw(value) }
}

#[tokio::test]
async fn a_tree_over_queues_is_served_from_its_leaves_up_and_each_job_once() {
    let store = Store::new();
    let engine = &store.engine;
    let leaf = || node("leaves", JobOptions::new());
    let flow = node("roots", JobOptions::new())
        .child(
            node("middles", JobOptions::new())
                .child(leaf())
                .child(leaf()),
        )
        .child(leaf());
    let root = engine.add_flow(flow).await.unwrap();
    let middle = &root.children[0];
    for flow in [&root, middle] {
        assert_eq!(state(engine, flow).await, Some(State::WaitingChildren));
        assert!(
            claim(engine, flow.job.queue.as_str(), &LeaseToken::random(), 9)
                .await
                .is_empty()
        );
    }
    let leaves = claim(engine, "leaves", &LeaseToken::random(), 9).await;
    assert_eq!(leaves.len(), 3);
    assert_eq!(leaves[0].parent.as_ref(), Some(&middle.job));
    let snapshot = engine
        .get(&leaves[2].lease.queue, &leaves[2].lease.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(snapshot.parent.as_ref(), Some(&root.job));
    for leaf in &leaves {
        finish(engine, leaf, returns(leaf.lease.id.as_str()))
            .await
            .unwrap();
    }
    assert_eq!(state(engine, middle).await, Some(State::Waiting));
    assert_eq!(state(engine, &root).await, Some(State::WaitingChildren));
    let results = children_of(engine, middle).await.completed;
    assert_eq!(results.len(), 2);
    for (job, result) in results {
        assert_eq!(result.get(), format!("\"{}\"", job.id));
    }
    end(&store, "middles", completed()).await;
    assert_eq!(kinds(engine, &root).await, (0, 2, 0, 0));
    end(&store, "roots", completed()).await;
    assert_eq!(state(engine, &root).await, Some(State::Completed));
    for queue in ["roots", "middles", "leaves"] {
        let more = claim(engine, queue, &LeaseToken::random(), 9).await;
        assert!(more.is_empty(), "{queue} has run everything once");
    }
}

#[tokio::test]
async fn trap_4_what_a_failed_child_means_is_said_by_its_option() {
    use ChildFailure::{
        ContinueParent, FailParent, IgnoreDependency, ParentWaits, RemoveDependency,
    };
    // After one of two children failed; after the other completed; how the children stand then.
    let table = [
        (
            ParentWaits,
            State::WaitingChildren,
            State::WaitingChildren,
            (1, 1, 0, 0),
        ),
        (FailParent, State::Failed, State::Failed, (0, 1, 0, 1)),
        (ContinueParent, State::Waiting, State::Waiting, (0, 1, 1, 0)),
        (
            IgnoreDependency,
            State::WaitingChildren,
            State::Waiting,
            (0, 1, 1, 0),
        ),
        (
            RemoveDependency,
            State::WaitingChildren,
            State::Waiting,
            (0, 1, 0, 0),
        ),
    ];
    for (failure, then, at_last, stand) in table {
        let store = Store::new();
        let parent = add(&store, [child(failure), child(ParentWaits)]).await;
        end(&store, "children", failed(false)).await;
        let now = state(&store.engine, &parent).await;
        assert_eq!(now, Some(then), "{failure:?}: after the failure");
        end(&store, "children", completed()).await;
        let now = state(&store.engine, &parent).await;
        assert_eq!(now, Some(at_last), "{failure:?}: after the sibling");
        assert_eq!(kinds(&store.engine, &parent).await, stand, "{failure:?}");
        let runs = claim(&store.engine, "parents", &LeaseToken::random(), 9).await;
        assert_eq!(
            runs.len(),
            usize::from(at_last == State::Waiting),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn only_the_last_attempt_counts_as_a_failure() {
    let store = Store::new();
    let options = JobOptions::new()
        .attempts(2)
        .on_failure(ChildFailure::FailParent);
    let parent = add(&store, [node("children", options)]).await;
    end(&store, "children", failed(true)).await;
    assert_eq!(
        state(&store.engine, &parent).await,
        Some(State::WaitingChildren)
    );
    end(&store, "children", failed(true)).await;
    assert_eq!(state(&store.engine, &parent).await, Some(State::Failed));
}

#[tokio::test]
async fn trap_4_a_failure_climbs_as_far_as_each_level_says_and_tells_why() {
    for climbs in [ChildFailure::FailParent, ChildFailure::ParentWaits] {
        let store = Store::new();
        let engine = &store.engine;
        let mut events = engine.events(Some(QueueName::new("roots").unwrap()));
        let leaf = node(
            "leaves",
            JobOptions::new().on_failure(ChildFailure::FailParent),
        );
        let middle = node("middles", JobOptions::new().on_failure(climbs)).child(leaf);
        let flow = node("roots", JobOptions::new()).child(middle);
        let root = engine.add_flow(flow).await.unwrap();
        let leaf = end(&store, "leaves", failed(false)).await;
        let middle = &root.children[0];
        let snapshot = engine
            .get(&middle.job.queue, &middle.job.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(snapshot.state, State::Failed);
        let reason = snapshot.failed_reason.unwrap();
        let expected = format!("the child leaves/{} failed: it broke", leaf.lease.id);
        assert_eq!(reason, expected);
        let snapshot = engine
            .get(&root.job.queue, &root.job.id)
            .await
            .unwrap()
            .unwrap();
        if climbs == ChildFailure::ParentWaits {
            assert_eq!(snapshot.state, State::WaitingChildren);
            continue;
        }
        assert_eq!(snapshot.state, State::Failed);
        let reason = snapshot.failed_reason.unwrap();
        assert!(
            reason.contains(middle.job.id.as_str()) && reason.ends_with(&expected),
            "{reason}"
        );
        let mut kinds = Vec::new();
        while kinds.last() != Some(&JobEventKind::Failed) {
            match events.next().await.unwrap() {
                Received::Event(event) => kinds.push(event.event),
                lost => panic!("{lost:?}"),
            }
        }
        assert_eq!(kinds, [JobEventKind::Added, JobEventKind::Failed]);
    }
}

#[tokio::test]
async fn a_released_parent_keeps_its_priority_and_its_delay() {
    let store = Store::new();
    let engine = &store.engine;
    let delay = Duration::from_mins(1);
    let child = || node("children", JobOptions::new());
    for (options, ready) in [
        (JobOptions::new().delay(delay), State::Delayed),
        (JobOptions::new().priority(3), State::Prioritized),
    ] {
        let by_end = node("parents", options.clone()).child(child());
        let by_end = engine.add_flow(by_end).await.unwrap();
        let by_removal = node("parents", options).child(child());
        let by_removal = engine.add_flow(by_removal).await.unwrap();
        end(&store, "children", completed()).await;
        let last = &by_removal.children[0].job;
        engine.remove(&last.queue, &last.id).await.unwrap();
        for flow in [by_end, by_removal] {
            assert_eq!(state(engine, &flow).await, Some(ready));
        }
    }
    assert_eq!(
        claim(engine, "parents", &LeaseToken::random(), 9)
            .await
            .len(),
        2
    );
    store.pass(delay);
    assert_eq!(
        claim(engine, "parents", &LeaseToken::random(), 9)
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_removed_child_is_no_longer_waited_for_whatever_its_state() {
    let store = Store::new();
    let engine = &store.engine;
    let delayed = JobOptions::new().delay(Duration::from_secs(9));
    let children = [
        child(ChildFailure::ParentWaits),
        node("children", delayed),
        node("children", JobOptions::new()).child(node("grandchildren", JobOptions::new())),
        child(ChildFailure::ParentWaits),
    ];
    let parent = add(&store, children).await;
    end(&store, "children", failed(false)).await;
    for (left, child) in parent.children.iter().enumerate().rev() {
        assert_eq!(state(engine, &parent).await, Some(State::WaitingChildren));
        engine
            .remove(&child.job.queue, &child.job.id)
            .await
            .unwrap();
        assert_eq!(kinds(engine, &parent).await, (left, 0, 0, 0));
    }
    assert_eq!(state(engine, &parent).await, Some(State::Waiting));
    // The grandchild of a removed child runs all the same and tells nobody.
    end(&store, "grandchildren", completed()).await;
    assert_eq!(
        claim(engine, "parents", &LeaseToken::random(), 9)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn results_stay_with_the_parent_when_the_children_are_not_kept() {
    let store = Store::new();
    let options = JobOptions::new()
        .keep_completed(Retention::NONE)
        .keep_failed(Retention::NONE);
    let ignored = options.clone().on_failure(ChildFailure::IgnoreDependency);
    let children = [
        node("children", options.clone()),
        node("children", ignored),
        node("children", options),
    ];
    let parent = add(&store, children).await;
    end(&store, "children", returns("kept")).await;
    end(&store, "children", failed(false)).await;
    // It would be waited for until somebody retries it: nobody can, as it is gone.
    end(&store, "children", failed(false)).await;
    assert_eq!(state(&store.engine, &parent).await, Some(State::Waiting));
    for child in &parent.children {
        assert_eq!(state(&store.engine, child).await, None);
    }
    let found = children_of(&store.engine, &parent).await;
    assert_eq!(found.completed[0].1.get(), "\"kept\"");
    assert_eq!(found.ignored[0].1, "it broke");
    assert_eq!(kinds(&store.engine, &parent).await, (0, 1, 1, 0));
}

#[tokio::test]
async fn a_failed_child_that_outlived_its_time_releases_its_parent() {
    let by_age = Retention {
        count: 9,
        age: Duration::from_hours(1),
    };
    let by_count = Retention {
        count: 1,
        age: Duration::from_hours(1),
    };
    for keep in [by_age, by_count] {
        let store = Store::new();
        let options = || JobOptions::new().keep_failed(keep);
        let parent = add(&store, [node("children", options())]).await;
        end(&store, "children", failed(false)).await;
        let before = state(&store.engine, &parent).await;
        assert_eq!(before, Some(State::WaitingChildren));
        if keep == by_count {
            store.pass(Duration::from_secs(1));
            let queue = store.engine.queue("children").unwrap();
            queue.add_with("n", &raw(1), options()).await.unwrap();
            end(&store, "children", failed(false)).await;
        } else {
            store.pass(Duration::from_hours(1));
            store.engine.sweep().await.unwrap();
        }
        assert_eq!(state(&store.engine, &parent.children[0]).await, None);
        assert_eq!(state(&store.engine, &parent).await, Some(State::Waiting));
    }
}

#[tokio::test]
async fn a_child_retried_by_hand_is_waited_for_again_while_the_parent_waits() {
    use ChildFailure::{IgnoreDependency, ParentWaits, RemoveDependency};
    for failure in [ParentWaits, IgnoreDependency, RemoveDependency] {
        let store = Store::new();
        let engine = &store.engine;
        let parent = add(&store, [child(failure), child(ParentWaits)]).await;
        let first = end(&store, "children", failed(false)).await.lease;
        engine.retry(&first.queue, &first.id).await.unwrap();
        assert_eq!(kinds(engine, &parent).await, (2, 0, 0, 0), "{failure:?}");
        end(&store, "children", completed()).await;
        let now = state(engine, &parent).await;
        assert_eq!(now, Some(State::WaitingChildren), "{failure:?}");
        end(&store, "children", completed()).await;
        assert_eq!(state(engine, &parent).await, Some(State::Waiting));
        assert_eq!(kinds(engine, &parent).await, (0, 2, 0, 0), "{failure:?}");
    }
}

#[tokio::test]
async fn trap_4_a_child_retried_after_the_parent_left_does_not_run_it_again() {
    let store = Store::new();
    let engine = &store.engine;
    let parent = add(&store, [child(ChildFailure::ContinueParent)]).await;
    let first = end(&store, "children", failed(false)).await.lease;
    let running = claim_one(engine, "parents").await;
    engine.retry(&first.queue, &first.id).await.unwrap();
    end(&store, "children", completed()).await;
    assert_eq!(kinds(engine, &parent).await, (0, 1, 0, 0));
    assert_eq!(state(engine, &parent).await, Some(State::Active));
    finish(engine, &running, completed()).await.unwrap();
    engine
        .retry(&first.queue, &first.id)
        .await
        .expect_err("it completed");
    assert!(
        claim(engine, "parents", &LeaseToken::random(), 9)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_failed_parent_that_is_retried_starts_over_with_what_its_children_did() {
    let store = Store::new();
    let engine = &store.engine;
    let parent = add(&store, [child(ChildFailure::FailParent)]).await;
    let child = end(&store, "children", failed(false)).await.lease;
    engine
        .retry(&parent.job.queue, &parent.job.id)
        .await
        .unwrap();
    assert_eq!(state(engine, &parent).await, Some(State::Waiting));
    engine.retry(&child.queue, &child.id).await.unwrap();
    end(&store, "children", returns("at last")).await;
    assert_eq!(
        children_of(engine, &parent).await.completed[0].1.get(),
        "\"at last\""
    );
    end(&store, "parents", completed()).await;
    assert_eq!(state(engine, &parent).await, Some(State::Completed));
}

#[tokio::test]
async fn a_parent_that_is_removed_leaves_its_children_alone() {
    let store = Store::new();
    let engine = &store.engine;
    let parent = add(&store, [child(ChildFailure::FailParent)]).await;
    engine
        .remove(&parent.job.queue, &parent.job.id)
        .await
        .unwrap();
    let job = claim_one(engine, "children").await;
    assert_eq!(job.parent, None, "it is gone");
    finish(engine, &job, failed(false)).await.unwrap();
    engine.retry(&job.lease.queue, &job.lease.id).await.unwrap();
    end(&store, "children", completed()).await;
    let found = engine.children(&parent.job.queue, &parent.job.id).await;
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn a_parent_that_waits_cannot_be_promoted_or_finished() {
    let store = Store::new();
    let engine = &store.engine;
    let parent = add(&store, [child(ChildFailure::ParentWaits)]).await;
    let refused = engine.promote(&parent.job.queue, &parent.job.id).await;
    assert!(matches!(
        refused,
        Err(ManageError::WrongState(State::WaitingChildren))
    ));
    let queue = engine.queue("parents").unwrap();
    let waiting = queue.list(State::WaitingChildren, paceline_jobs::Page::default());
    assert_eq!(waiting.await.unwrap().total, 1);
}

#[tokio::test]
async fn a_flow_too_large_or_with_options_that_do_not_fit_is_refused_whole() {
    let mut limits = Limits::default();
    (limits.flow, limits.flow_depth) = (3, 2);
    let store = Store::with(|options| options.limits(limits));
    let engine = &store.engine;
    let leaf = || node("q", JobOptions::new());
    let check = async |flow: Flow, part: &str| {
        let refused = engine.add_flow(flow).await.unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    };
    check(
        leaf().child(leaf()).child(leaf()).child(leaf()),
        "4 jobs, at most 3",
    )
    .await;
    check(leaf().child(leaf().child(leaf())), "3 levels, at most 2").await;
    let key = paceline_jobs::IdempotencyKey {
        key: "k".to_owned(),
        fingerprint: paceline_jobs::Fingerprint::of(b"r"),
        hold: LEASE,
    };
    let keyed = node("q", JobOptions::new().idempotency(key.clone()));
    check(leaf().child(keyed), "only the first job").await;
    let newest = paceline_jobs::Deduplication::simple("d")
        .unwrap()
        .keep_last_if_active();
    let newest = node("q", JobOptions::new().deduplication(newest));
    check(leaf().child(newest), "keeps the last").await;
    assert!(engine.queues().await.unwrap().is_empty(), "nothing is left");
    let first = node("q", JobOptions::new().idempotency(key)).child(leaf());
    let one = engine.add_flow(first.clone()).await.unwrap();
    let again = engine.add_flow(first).await.unwrap();
    assert_eq!(
        (again.job, again.existing, again.children.len()),
        (one.job, true, 0)
    );
}

#[tokio::test]
async fn an_ending_without_the_lease_changes_no_parent() {
    let store = Store::new();
    let engine = &store.engine;
    let parent = add(&store, [child(ChildFailure::ParentWaits)]).await;
    let old = claim_one(engine, "children").await;
    store.pass(LEASE + Duration::from_secs(1));
    engine.sweep().await.unwrap();
    let refused = finish(engine, &old, completed()).await;
    assert!(matches!(refused, Err(LeaseError::LeaseLost)));
    assert_eq!(state(engine, &parent).await, Some(State::WaitingChildren));
    end(&store, "children", completed()).await;
    assert_eq!(state(engine, &parent).await, Some(State::Waiting));
    let nobody = JobId::lookup("nobody");
    let none = engine.children(&parent.job.queue, &nobody).await.unwrap();
    assert!(none.is_none());
}
