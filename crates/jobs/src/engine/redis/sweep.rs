//! Upkeep of the queues this engine worked with: ended leases, finished jobs that outlived their time. Each
//! round is bounded; what is left waits for the next.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::claim::report_orphans;
use super::finish::{Ended, age_bound, tell};
use super::job_options::{HeldJob, StoredOptions, whole_millis};
use super::reply::{Parts, int, small};
use super::schedulers;
use super::script::{EXPIRE, STALLED};
use super::store::Store;
use super::topology::Slot;
use crate::engine::SweepReport;
use crate::error::EngineError;
use crate::names::QueueName;
use crate::state::{State, Trigger, decide};

/// Leases recovered and jobs removed in one round, each.
const STEP: usize = 500;

/// One round over all queues.
pub(super) async fn sweep(store: &Store) -> Result<SweepReport, EngineError> {
    let mut report = SweepReport::default();
    for queue in store.noted() {
        sweep_queue(store, &queue, &mut report).await?;
    }
    Ok(report)
}

async fn sweep_queue(
    store: &Store,
    queue: &QueueName,
    report: &mut SweepReport,
) -> Result<(), EngineError> {
    recover(store, queue, report).await?;
    schedulers::make_up(store, queue).await?;
    let call = store
        .script(&EXPIRE, queue)
        .arg(store.now().as_millis())
        .arg(age_bound(store.settings.keep_completed.age))
        .arg(age_bound(store.settings.keep_failed.age))
        .arg(STEP);
    let removed = store.call(queue, &call).await?;
    report.pruned += int(&removed)
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    Ok(())
}

/// A job found without the lock its holder must renew.
struct Stalled {
    id: String,
    job: HeldJob,
    /// Jobs of a scheduler are never given up.
    scheduled: bool,
}

async fn recover(
    store: &Store,
    queue: &QueueName,
    report: &mut SweepReport,
) -> Result<(), EngineError> {
    let call = store.script(&STALLED, queue).arg(STEP);
    let mut answer = Parts::of(store.call(queue, &call).await?);
    report_orphans(queue, answer.next()?);
    let mut parts = Parts::of(answer.next()?);
    let mut stalled = Vec::new();
    while !parts.is_empty() {
        stalled.push(read(&mut parts)?);
    }
    let endings: Vec<_> = stalled.iter().map(|job| ended(store, job)).collect();
    for state in tell(store, queue, &endings).await?.into_iter().flatten() {
        if state == State::Failed {
            report.stalled_out += 1;
        } else {
            report.recovered += 1;
        }
    }
    Ok(())
}

fn read(parts: &mut Parts) -> Result<Stalled, EngineError> {
    let id = parts.text()?;
    let _starts = parts.text()?;
    let attempts_made = small(&parts.text()?).unwrap_or(0);
    let stalls = small(&parts.text()?).unwrap_or(0);
    let priority = small(&parts.text()?).unwrap_or(0);
    let options = StoredOptions::read(&parts.text()?);
    let scheduled = parts.int()? == 1;
    let job = HeldJob {
        options,
        priority,
        attempts_made,
        stalls,
    };
    Ok(Stalled { id, job, scheduled })
}

fn ended<'a>(store: &Store, stalled: &'a Stalled) -> Option<Ended<'a>> {
    let limit = if stalled.scheduled {
        u32::MAX
    } else {
        store.settings.stall_limit
    };
    let change = decide(&stalled.job.facts(), Trigger::Stall { limit }, store.now()).ok()?;
    let reason = if change.state == Some(State::Failed) {
        let stalls = change.stalls;
        format!("stalled {stalls} times, at most {limit} are allowed: its lease ended")
    } else {
        "stalled: its lease ended".to_owned()
    };
    Some(Ended::new(
        &stalled.id,
        String::new(),
        &stalled.job,
        change,
        (Cow::Owned(reason), true),
        store,
    ))
}

/// Sweeps for as long as the engine lives. Of several engines on a queue one does a round. Slots are
/// looked at side by side: the node of one may be down.
pub(super) async fn run(store: Arc<Store>) {
    let every = store.settings.sweep_every.max(Duration::from_millis(10));
    loop {
        tokio::time::sleep(every).await;
        let mut slots: HashMap<Slot, Vec<QueueName>> = HashMap::new();
        for queue in store.noted() {
            slots.entry(store.slot(&queue)).or_default().push(queue);
        }
        let mut rounds = JoinSet::new();
        for queues in slots.into_values() {
            rounds.spawn(turns(Arc::clone(&store), queues, every));
        }
        while rounds.join_next().await.is_some() {}
    }
}

async fn turns(store: Arc<Store>, queues: Vec<QueueName>, every: Duration) {
    for queue in queues {
        if let Err(error) = turn(&store, &queue, every).await {
            tracing::warn!(queue = %queue, error = &error as &dyn std::error::Error, "cannot look for ended leases");
        }
    }
}

async fn turn(store: &Store, queue: &QueueName, every: Duration) -> Result<(), EngineError> {
    let mut claim = redis::cmd("SET");
    claim
        .arg(store.keys.of(queue, "pl:sweep"))
        .arg(1)
        .arg("NX")
        .arg("PX")
        .arg((whole_millis(every) / 2).max(1));
    if store.query(queue, &claim).await? == redis::Value::Nil {
        return Ok(());
    }
    let mut report = SweepReport::default();
    sweep_queue(store, queue, &mut report).await?;
    if report.recovered + report.stalled_out > 0 {
        tracing::info!(queue = %queue, ?report, "jobs whose lease had ended");
    }
    Ok(())
}
