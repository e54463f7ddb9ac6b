//! Waking idle workers: one connection a slot waits for the markers of all queues that have one. A marker is a
//! hint; a worker looks by itself when its time is over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::sync::Notify;

use super::blocking::{Blocking, LONGEST_WAIT, client_name};
use super::fault::RedisFault;
use super::per_slot::PerSlot;
use super::reply::{list, text};
use super::store::Store;
use super::topology::Slot;
use crate::names::QueueName;
use crate::names::random_fraction;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a connection is kept that waits for nothing.
const UNUSED_FOR: Duration = Duration::from_mins(1);

/// Runs for as long as the engine lives. `idle` is told each time a queue gets its first idle worker.
pub(super) async fn run(store: Arc<Store>, idle: Arc<Notify>) {
    let mut waits = PerSlot::default();
    loop {
        let queues = store.board.idle_queues();
        let slots: BTreeSet<Slot> = queues.iter().map(|queue| store.slot(queue)).collect();
        waits.tell(slots, |slot, changed| {
            watch(Arc::clone(&store), slot, changed)
        });
        idle.notified().await;
    }
}

/// Waits for the markers of one slot.
async fn watch(store: Arc<Store>, slot: Slot, changed: Arc<Notify>) {
    let mut pause = FIRST_PAUSE;
    let mut connection = None;
    loop {
        let queues = idle_queues(&store, slot);
        if queues.is_empty() {
            let told = tokio::time::timeout(UNUSED_FOR, changed.notified()).await;
            if told.is_err() {
                connection = None;
                changed.notified().await;
            }
            continue;
        }
        match round(&store, slot, &changed, &mut connection, &queues).await {
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
                wake(&store, slot);
            }
        }
    }
}

fn idle_queues(store: &Store, slot: Slot) -> BTreeSet<QueueName> {
    let mut queues = store.board.idle_queues();
    queues.retain(|queue| store.slot(queue) == slot);
    queues
}

fn wake(store: &Store, slot: Slot) {
    store.board.wake_those(|queue| store.slot(queue) == slot);
}

async fn round(
    store: &Store,
    slot: Slot,
    changed: &Notify,
    connection: &mut Option<Blocking>,
    queues: &BTreeSet<QueueName>,
) -> Result<(), RedisFault> {
    let mut waiting = if let Some(waiting) = connection.take() {
        waiting
    } else {
        let fresh = Blocking::connect(&store.link, slot).await?;
        // Jobs may have come before the wait begins.
        wake(store, slot);
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
    let covered = || idle_queues(store, slot).is_subset(queues);
    let popped = waiting.wait(&store.link, &pop, changed, covered).await?;
    *connection = Some(waiting);
    handle(store, slot, popped).await;
    Ok(())
}

/// A marker was taken: wakes the queue's idle workers, or puts it back when they have gone to work.
async fn handle(store: &Store, slot: Slot, popped: Value) {
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
    let _ = store.link.query(slot, &put_back).await;
}
