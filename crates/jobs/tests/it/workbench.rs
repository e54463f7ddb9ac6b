//! Bounded waits for what workers do.

use std::time::Duration;

use paceline_jobs::{JobId, JobSnapshot, Queue, State};
use tokio::sync::mpsc::UnboundedReceiver;

/// The longest wait for anything.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// Waits until the job is in this state, by its events.
pub(crate) async fn reaches<T>(queue: &Queue<T>, id: &JobId, wanted: State) -> JobSnapshot {
    let mut events = queue.events();
    let reached = async {
        loop {
            let snapshot = queue.get(id).await.unwrap().unwrap();
            if snapshot.state == wanted {
                return snapshot;
            }
            events.next().await.expect("the engine lives");
        }
    };
    tokio::time::timeout(BOUND, reached).await.expect("in time")
}

/// What is heard next.
pub(crate) async fn hear<T>(heard: &mut UnboundedReceiver<T>) -> T {
    tokio::time::timeout(BOUND, heard.recv())
        .await
        .expect("in time")
        .expect("somebody tells")
}

/// Looks until it is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let looks = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(BOUND, looks).await.expect("in time");
}
