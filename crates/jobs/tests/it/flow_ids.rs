//! Flows with children that are there already under an id of their own (trap 5).

use paceline_jobs::engine::Ending;
use paceline_jobs::{
    AddError, ChildFailure, EngineHandle, Flow, JobId, JobOptions, LeaseToken, Retention, State,
};

use super::Store;
use crate::store::{claim, claim_one, completed, failed, finish, raw, state_of};

fn parent() -> Flow {
    Flow::new("parents", "n", &1, JobOptions::new()).unwrap()
}

fn named(id: &str, failure: ChildFailure) -> Flow {
    let options = JobOptions::new().id(id).unwrap().on_failure(failure);
    Flow::new("children", "n", &1, options).unwrap()
}

fn waits(id: &str) -> Flow {
    named(id, ChildFailure::ParentWaits)
}

/// A job called `id` that no flow knows.
async fn add_plain(engine: &EngineHandle, id: &str) -> JobId {
    let queue = engine.queue("children").unwrap();
    let options = JobOptions::new().id(id).unwrap();
    queue.add_with("n", &raw(1), options).await.unwrap().id
}

async fn end(engine: &EngineHandle, ending: Ending) {
    let job = claim_one(engine, "children").await;
    finish(engine, &job, ending).await.unwrap();
}

#[tokio::test]
async fn trap_5_a_job_that_waits_or_runs_becomes_a_child() {
    for runs in [false, true] {
        let store = Store::new();
        let engine = &store.engine;
        add_plain(engine, "c").await;
        let running = if runs {
            Some(claim_one(engine, "children").await)
        } else {
            None
        };
        let flow = engine.add_flow(parent().child(waits("c"))).await.unwrap();
        assert!(flow.children[0].existing);
        let id = &flow.job.id;
        assert_eq!(
            state_of(engine, "parents", id).await,
            Some(State::WaitingChildren)
        );
        let job = match running {
            Some(job) => job,
            None => claim_one(engine, "children").await,
        };
        finish(engine, &job, completed()).await.unwrap();
        assert_eq!(state_of(engine, "parents", id).await, Some(State::Waiting));
        let counts = engine.queue("children").unwrap().info().await.unwrap();
        assert_eq!(counts.unwrap().counts.completed, 1, "it was added once");
    }
}

#[tokio::test]
async fn trap_5_the_result_of_a_job_that_completed_is_taken_over() {
    let store = Store::new();
    let engine = &store.engine;
    add_plain(engine, "c").await;
    end(engine, completed()).await;
    let both = parent().child(waits("c")).child(waits("d"));
    let flow = engine.add_flow(both).await.unwrap();
    let found = engine.children(&flow.job.queue, &flow.job.id).await;
    let found = found.unwrap().unwrap();
    assert_eq!((found.pending.len(), found.completed.len()), (1, 1));
    assert_eq!(found.completed[0].1.get(), "\"done\"");
    // Only such children: the parent is ready at once.
    let flow = engine.add_flow(parent().child(waits("c"))).await.unwrap();
    assert_eq!(
        state_of(engine, "parents", &flow.job.id).await,
        Some(State::Waiting)
    );
}

#[tokio::test]
async fn trap_5_a_job_that_failed_means_what_its_new_option_says() {
    for (failure, expected) in [
        (ChildFailure::ParentWaits, State::WaitingChildren),
        (ChildFailure::FailParent, State::Failed),
        (ChildFailure::IgnoreDependency, State::Waiting),
    ] {
        let store = Store::new();
        let engine = &store.engine;
        let child = add_plain(engine, "c").await;
        end(engine, failed(false)).await;
        let flow = engine.add_flow(parent().child(named("c", failure))).await;
        let id = flow.unwrap().job.id;
        let now = state_of(engine, "parents", &id).await;
        assert_eq!(now, Some(expected), "{failure:?}");
        if failure == ChildFailure::ParentWaits {
            let queue = engine.queue("children").unwrap();
            queue.retry(&child).await.unwrap();
            end(engine, completed()).await;
            assert_eq!(state_of(engine, "parents", &id).await, Some(State::Waiting));
        }
    }
}

#[tokio::test]
async fn trap_5_the_child_of_another_living_parent_is_refused_and_nothing_is_added() {
    let store = Store::new();
    let engine = &store.engine;
    let first = engine.add_flow(parent().child(waits("c"))).await.unwrap();
    let second = parent().child(waits("d")).child(waits("c"));
    let refused = engine.add_flow(second.clone()).await.unwrap_err();
    assert!(
        matches!(&refused, AddError::ChildTaken { id, .. } if id.as_str() == "c"),
        "{refused}"
    );
    let d = JobId::lookup("d");
    assert_eq!(state_of(engine, "children", &d).await, None);
    // One that ended does not wait any more.
    let twice = parent().child(waits("e")).child(waits("e"));
    let twice = engine.add_flow(twice).await.unwrap();
    assert!(twice.children[1].existing, "the same child, given twice");
    engine
        .remove(&first.job.queue, &first.job.id)
        .await
        .unwrap();
    let second = engine.add_flow(second).await.unwrap();
    let jobs = claim(engine, "children", &LeaseToken::random(), 9).await;
    assert_eq!(jobs.len(), 3);
    for job in &jobs {
        finish(engine, job, completed()).await.unwrap();
    }
    for flow in [twice, second] {
        let now = state_of(engine, "parents", &flow.job.id).await;
        assert_eq!(now, Some(State::Waiting));
    }
}

#[tokio::test]
async fn a_parent_that_failed_lets_its_child_go_to_another() {
    let store = Store::new();
    let engine = &store.engine;
    let fails = named("breaks", ChildFailure::FailParent);
    let first = engine.add_flow(parent().child(fails).child(waits("c")));
    let first = first.await.unwrap();
    end(engine, failed(false)).await;
    let second = engine.add_flow(parent().child(waits("c"))).await.unwrap();
    engine.retry(&first.job.queue, &first.job.id).await.unwrap();
    let again = claim_one(engine, "parents").await;
    let ended = finish(engine, &again, Ending::WaitForChildren).await;
    assert_eq!(
        ended.unwrap(),
        State::Waiting,
        "it no longer waits for the child that tells another"
    );
    end(engine, completed()).await;
    let now = state_of(engine, "parents", &second.job.id).await;
    assert_eq!(now, Some(State::Waiting));
}

#[tokio::test]
async fn a_job_cannot_wait_for_itself() {
    let store = Store::new();
    let engine = &store.engine;
    let named = |id: &str| {
        let options = JobOptions::new().id(id).unwrap();
        Flow::new("q", "n", &1, options).unwrap()
    };
    let circle = named("a").child(named("b").child(named("a")));
    let refused = engine.add_flow(circle).await.unwrap_err();
    assert!(refused.to_string().contains("wait for itself"), "{refused}");
    let queue = engine.queue("q").unwrap();
    queue
        .add_with("n", &raw(1), JobOptions::new().id("a").unwrap())
        .await
        .unwrap();
    let job = claim_one(engine, "q").await;
    for children in [named("a"), named("b").child(named("a"))] {
        let refused = engine.add_children(&job.lease, vec![children]).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("wait for itself"), "{refused}");
    }
}

#[tokio::test]
async fn a_flow_added_again_is_there_already() {
    let store = Store::new();
    let engine = &store.engine;
    let root = || {
        let options = JobOptions::new().id("root").unwrap();
        let root = Flow::new("parents", "n", &1, options).unwrap();
        root.child(waits("c"))
    };
    assert!(!engine.add_flow(root()).await.unwrap().existing);
    let again = engine.add_flow(root()).await.unwrap();
    assert!(again.existing && again.children.is_empty());
    let counts = engine.queue("children").unwrap().info().await.unwrap();
    assert_eq!(counts.unwrap().counts.waiting, 1);
}

#[tokio::test]
async fn an_attempt_made_again_does_not_repeat_children_that_are_done_and_gone() {
    let store = Store::new();
    let engine = &store.engine;
    let queue = engine.queue("parents").unwrap();
    queue.add("n", &raw(1)).await.unwrap();
    let gone = || {
        let options = JobOptions::new().id("c").unwrap();
        let options = options.keep_completed(Retention::NONE);
        Flow::new("children", "n", &1, options).unwrap()
    };
    for round in 0..2 {
        let job = claim_one(engine, "parents").await;
        let added = engine.add_children(&job.lease, vec![gone()]).await.unwrap();
        assert_eq!(added[0].existing, round > 0);
        if round == 0 {
            end(engine, completed()).await;
            finish(engine, &job, Ending::HandedBack).await.unwrap();
        } else {
            let ended = finish(engine, &job, Ending::WaitForChildren).await;
            assert_eq!(ended.unwrap(), State::Waiting);
        }
    }
    assert!(
        claim(engine, "children", &LeaseToken::random(), 9)
            .await
            .is_empty()
    );
}
