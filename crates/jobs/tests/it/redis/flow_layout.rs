//! Flows as they stand in Redis, and what the end of a child means.

use paceline_jobs::engine::ClaimedJob;
use paceline_jobs::{ChildFailure, Flow, JobId, JobOptions, LeaseToken, Queue, State};

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

#[tokio::test]
async fn a_family_has_bullmqs_keys() {
    let store = Store::new();
    let ignored = JobOptions::new().on_failure(ChildFailure::IgnoreDependency);
    let child = || job("children", ignored.clone());
    let flow = job("parents", JobOptions::new())
        .child(child())
        .child(child());
    let added = store.engine.add_flow(flow).await.unwrap();
    let parent_key = format!("{}:parents:{}", store.prefix, added.job.id);
    let child_key = |at: usize| format!("{}:children:{}", store.prefix, added.children[at].job.id);
    let mut pending: Vec<String> =
        store.command(&["SMEMBERS", &format!("{parent_key}:dependencies")]);
    pending.sort_unstable();
    let mut expected = vec![child_key(0), child_key(1)];
    expected.sort_unstable();
    assert_eq!(pending, expected);
    let parent: String = store.command(&["HGET", &child_key(0), "parent"]);
    let parent: serde_json::Value = serde_json::from_str(&parent).unwrap();
    let queue_key = format!("{}:parents", store.prefix);
    let expected = serde_json::json!({ "id": added.job.id, "queueKey": queue_key, "idof": true });
    assert_eq!(parent, expected);
    for ending in [completed(), failed(false)] {
        let child = take(&store, "children").await;
        finish(&store.engine, &child, ending).await.unwrap();
    }
    let processed: Vec<String> = store.command(&["HGETALL", &format!("{parent_key}:processed")]);
    assert_eq!(processed, [child_key(0), "\"done\"".to_owned()]);
    let ignored: Vec<String> = store.command(&["HGETALL", &format!("{parent_key}:failed")]);
    assert_eq!(ignored, [child_key(1), "it broke".to_owned()]);
    assert_eq!(take(&store, "parents").await.lease.id, added.job.id);
}

#[tokio::test]
async fn a_parent_failed_by_a_child_of_another_program_fails_when_it_is_taken() {
    let store = Store::new();
    let fails_it = JobOptions::new().on_failure(ChildFailure::FailParent);
    let flow = job("parents", JobOptions::new()).child(job("children", fails_it));
    let parent = store.engine.add_flow(flow).await.unwrap().job.id;
    // What BullMQ leaves when its worker fails the child.
    let key = |suffix: &str| format!("{}:parents:{suffix}", store.prefix);
    let _: i64 = store.command(&["ZREM", &key("waiting-children"), parent.as_str()]);
    let _: i64 = store.command(&["HSET", &key(parent.as_str()), "defa", "child x failed"]);
    let _: i64 = store.command(&["RPUSH", &key("wait"), parent.as_str()]);
    assert!(
        claim(&store.engine, "parents", &LeaseToken::random(), 1)
            .await
            .is_empty()
    );
    assert_eq!(state(&store, &parent).await, State::Failed);
}
