//! Jobs under way that add children and wait for them.

use std::time::Duration;

use paceline_jobs::engine::Ending;
use paceline_jobs::{AddError, ChildFailure, Flow, JobOptions, LeaseToken, State};

use super::Store;
use crate::store::{LEASE, claim, claim_one, completed, failed, finish, raw, state_of};

fn node(queue: &str, options: JobOptions) -> Flow {
    Flow::new(queue, "n", &1, options).unwrap()
}

fn child(failure: ChildFailure) -> Flow {
    node("children", JobOptions::new().on_failure(failure))
}

async fn end(store: &Store, queue: &str, ending: Ending) {
    let job = claim_one(&store.engine, queue).await;
    finish(&store.engine, &job, ending).await.unwrap();
}

#[tokio::test]
async fn a_running_job_adds_children_and_goes_on_when_they_are_done() {
    let store = Store::new();
    let engine = &store.engine;
    let queue = engine.queue("parents").unwrap();
    let id = queue.add("n", &raw(1)).await.unwrap().id;
    let job = claim_one(engine, "parents").await;
    let added = engine
        .add_children(&job.lease, vec![child(ChildFailure::ParentWaits)])
        .await
        .unwrap();
    assert_eq!(added.len(), 1);
    assert_eq!(
        finish(engine, &job, Ending::WaitForChildren).await.unwrap(),
        State::WaitingChildren
    );
    let refused = engine.add_children(&job.lease, Vec::new()).await;
    assert!(
        matches!(refused, Err(AddError::LeaseLost)),
        "its attempt ended"
    );
    end(&store, "children", completed()).await;
    let job = claim_one(engine, "parents").await;
    assert_eq!((job.lease.id.clone(), job.attempt), (id.clone(), 1));
    assert_eq!(
        finish(engine, &job, Ending::WaitForChildren).await.unwrap(),
        State::Waiting,
        "nothing is left to wait for: it goes on at once"
    );
    end(&store, "parents", completed()).await;
    assert_eq!(
        state_of(engine, "parents", &id).await,
        Some(State::Completed)
    );
}

#[tokio::test]
async fn children_done_before_the_job_waits_for_them_do_not_hold_it_up() {
    let store = Store::new();
    let engine = &store.engine;
    let queue = engine.queue("parents").unwrap();
    queue.add("n", &raw(1)).await.unwrap();
    let job = claim_one(engine, "parents").await;
    let children = vec![child(ChildFailure::ParentWaits)];
    engine.add_children(&job.lease, children).await.unwrap();
    end(&store, "children", completed()).await;
    assert_eq!(
        finish(engine, &job, Ending::WaitForChildren).await.unwrap(),
        State::Waiting
    );
    let runs = claim(engine, "parents", &LeaseToken::random(), 9).await;
    assert_eq!(runs.len(), 1);
}

#[tokio::test]
async fn a_running_job_whose_child_fails_it_fails_however_its_attempt_ends() {
    let endings = [
        Some(completed()),
        Some(failed(true)),
        Some(Ending::Postponed(Duration::from_secs(1))),
        Some(Ending::WaitForChildren),
        Some(Ending::HandedBack),
        None,
    ];
    for ending in endings {
        let store = Store::new();
        let engine = &store.engine;
        let queue = engine.queue("parents").unwrap();
        let options = JobOptions::new().attempts(5);
        let id = queue.add_with("n", &raw(1), options).await.unwrap().id;
        let job = claim_one(engine, "parents").await;
        let children = vec![
            child(ChildFailure::FailParent),
            child(ChildFailure::ParentWaits),
        ];
        engine.add_children(&job.lease, children).await.unwrap();
        end(&store, "children", failed(false)).await;
        assert_eq!(state_of(engine, "parents", &id).await, Some(State::Active));
        let how = format!("{ending:?}");
        if let Some(ending) = ending {
            let state = finish(engine, &job, ending).await.unwrap();
            assert_eq!(state, State::Failed, "{how}");
        } else {
            store.pass(LEASE + Duration::from_secs(1));
            assert_eq!(engine.sweep().await.unwrap().stalled_out, 1);
        }
        let job = queue.get(&id).await.unwrap().unwrap();
        assert_eq!(job.state, State::Failed, "{how}");
        let reason = job.failed_reason.unwrap();
        assert!(reason.starts_with("the child children/"), "{how}: {reason}");
        queue.retry(&id).await.unwrap();
        end(&store, "parents", completed()).await;
        assert_eq!(
            state_of(engine, "parents", &id).await,
            Some(State::Completed)
        );
    }
}

#[tokio::test]
async fn a_flow_nested_at_run_time_fails_to_its_top_however_deep_it_is() {
    let store = Store::new();
    let engine = &store.engine;
    let queue = engine.queue("q").unwrap();
    let top = queue.add("n", &raw(1)).await.unwrap().id;
    let levels = 400;
    for _ in 0..levels {
        let job = claim_one(engine, "q").await;
        let below = node("q", JobOptions::new().on_failure(ChildFailure::FailParent));
        engine.add_children(&job.lease, vec![below]).await.unwrap();
        finish(engine, &job, Ending::WaitForChildren).await.unwrap();
    }
    end(&store, "q", failed(false)).await;
    assert_eq!(state_of(engine, "q", &top).await, Some(State::Failed));
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.failed, counts.waiting_children), (levels + 1, 0));
}
