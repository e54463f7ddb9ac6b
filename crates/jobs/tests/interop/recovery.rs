//! A worker of one side dies, and the other side takes its jobs over.

use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Ending, Finish};
use paceline_jobs::{LeaseError, LeaseToken, State};
use serde_json::json;
use serde_json::value::RawValue;

use crate::ours::OurWorker;
use crate::peer::Peer;
use crate::world::{QUEUE, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn we_take_over_from_a_node_process_that_is_killed() {
    let world = World::new().await;
    let doomed = Peer::node(&world.redis).await;
    let options = json!({ "lockDuration": 500 });
    let work = json!({ "worker": "doomed", "queue": QUEUE, "concurrency": 2, "options": options });
    doomed.call("work", work).await;
    let mut ids = Vec::new();
    for answer in 0..2 {
        ids.push(
            world
                .node_adds(json!({ "hold": true, "answer": answer }), json!({}))
                .await,
        );
    }
    eventually("both to be held", async || {
        (doomed.all("ran").len() == 2).then_some(())
    })
    .await;
    drop(doomed);
    let worker = OurWorker::start(&world.engine, QUEUE, 2);
    for id in &ids {
        let job = world.we_see(id, |job| job.state == State::Completed).await;
        assert_eq!(
            (job.starts, job.stalls, job.attempts_made),
            (2, 1, 1),
            "no attempt was used by the death"
        );
    }
    assert_eq!(worker.runs().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_takes_over_what_we_let_go_and_we_are_refused_afterwards() {
    let world = World::new().await;
    let id = world
        .queue()
        .add("n", &json!({ "answer": "by node" }))
        .await
        .unwrap()
        .id;
    let request = ClaimRequest {
        queue: world.queue().name().clone(),
        token: LeaseToken::random(),
        max: 1,
        lease_for: Duration::from_millis(200),
    };
    let lease = world
        .engine
        .claim(request)
        .await
        .unwrap()
        .jobs
        .remove(0)
        .lease;
    let options = json!({ "stalledInterval": 200 });
    let work = json!({ "worker": "node", "queue": QUEUE, "options": options });
    world.node.call("work", work).await;
    let job = world
        .we_see(id.as_str(), |job| job.state == State::Completed)
        .await;
    assert_eq!(job.result.unwrap().get(), "\"by node\"");
    let late = Finish {
        lease,
        ending: Ending::Completed {
            result: RawValue::from_string("\"too late\"".to_owned()).unwrap(),
        },
    };
    let ended = world.engine.finish(vec![late]).await.unwrap().remove(0);
    assert!(matches!(ended, Err(LeaseError::LeaseLost)), "{ended:?}");
    let job = world.we_see(id.as_str(), |_| true).await;
    assert_eq!(job.result.unwrap().get(), "\"by node\"");
}
