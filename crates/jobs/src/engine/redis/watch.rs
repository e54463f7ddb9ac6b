//! Waking idle workers: one connection waits for the markers of all queues that have one. A marker is a
//! hint; a worker looks by itself when its time is over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::sync::Notify;

use super::blocking::{Blocking, LONGEST_WAIT, client_name};
use super::reply::{list, text};
use super::store::Store;
use crate::names::QueueName;
use crate::names::random_fraction;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs for as long as the engine lives. `idle` is told each time a queue gets its first idle worker.
pub(super) async fn run(store: Arc<Store>, idle: Arc<Notify>) {
    let mut pause = FIRST_PAUSE;
    let mut connection = None;
    loop {
        let queues = store.board.idle_queues();
        if queues.is_empty() {
            idle.notified().await;
            continue;
        }
        match round(&store, &idle, &mut connection, &queues).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                connection = None;
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "cannot wait for markers"
                );
                tokio::time::sleep(pause.mul_f64(1.0 + random_fraction() / 2.0)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                // What happened meanwhile was not seen.
                store.board.wake_all();
            }
        }
    }
}

async fn round(
    store: &Store,
    idle: &Notify,
    connection: &mut Option<Blocking>,
    queues: &BTreeSet<QueueName>,
) -> RedisResult<()> {
    let mut waiting = if let Some(waiting) = connection.take() {
        waiting
    } else {
        let fresh = Blocking::connect(&store.link.client, store.link.deadline).await?;
        // Jobs may have come before the wait begins.
        store.board.wake_all();
        fresh
    };
    if let Some(queue) = queues.first() {
        waiting
            .set_name(&client_name(store.keys.prefix(), queue))
            .await;
    }
    let mut pop = redis::cmd("BZPOPMIN");
    for queue in queues {
        pop.arg(store.keys.of(queue, "marker"));
    }
    pop.arg(LONGEST_WAIT.as_secs());
    let covered = || store.board.idle_queues().is_subset(queues);
    let popped = waiting.wait(&store.link, &pop, idle, covered).await?;
    *connection = Some(waiting);
    handle(store, popped).await;
    Ok(())
}

/// A marker was taken: wakes the queue's idle workers, or puts it back when they have gone to work.
async fn handle(store: &Store, popped: Value) {
    let parts: Vec<String> = list(popped).into_iter().filter_map(text).collect();
    let [key, member, millis] = parts.as_slice() else {
        return;
    };
    let Some(queue) = store.keys.queue_of(key, "marker") else {
        return;
    };
    if store.board.is_idle(&queue) {
        store.board.wake(&queue);
        return;
    }
    let mut put_back = redis::cmd("ZADD");
    put_back.arg(key).arg(millis).arg(member);
    let _ = store.link.query(&put_back).await;
}
