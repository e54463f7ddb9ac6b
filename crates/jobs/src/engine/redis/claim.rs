use redis::Value;
use serde_json::value::RawValue;

use super::job_options::{HeldJob, StoredOptions, whole_millis};
use super::reply::{Parts, list, small, text};
use super::script::CLAIM;
use super::store::Store;
use super::{finish, schedulers};
use crate::clock::Timestamp;
use crate::engine::{ClaimRequest, Claimed, ClaimedJob, Ending, Finish, Lease};
use crate::error::EngineError;
use crate::names::{JobId, QueueName, SchedulerId};

/// Due jobs made ready by one claim; the rest follows with the next.
const PROMOTE_STEP: usize = 1_000;
/// Jobs taken by one call of the script.
const CLAIM_STEP: usize = 1_000;
/// Rounds of a claim that finds only jobs which must not run.
const ROUNDS: usize = 8;

/// Takes ready jobs. Those that must not run are ended here and others are taken in their place.
pub(super) async fn claim(store: &Store, request: &ClaimRequest) -> Result<Claimed, EngineError> {
    let mut claimed = Claimed {
        jobs: Vec::new(),
        next_due: None,
        paused: false,
    };
    let max = request.max.min(store.settings.limits.claim);
    for _ in 0..ROUNDS {
        let missing = (max - claimed.jobs.len()).min(CLAIM_STEP);
        let taken = take(store, request, missing).await?;
        claimed.next_due = taken.next_due;
        claimed.paused = taken.paused;
        for job in taken.jobs.iter().filter(|job| job.scheduler.is_some()) {
            schedulers::started(store, job).await;
        }
        claimed.jobs.extend(taken.jobs);
        if taken.unfit.is_empty() || claimed.jobs.len() >= max {
            break;
        }
        // An ending that cannot be told is told by the one who finds the lease ended.
        finish::finish(store, &taken.unfit).await?;
    }
    Ok(claimed)
}

/// What one call gave.
struct Taken {
    jobs: Vec<ClaimedJob>,
    /// Jobs that fail without being run.
    unfit: Vec<Finish>,
    next_due: Option<Timestamp>,
    paused: bool,
}

async fn take(store: &Store, request: &ClaimRequest, max: usize) -> Result<Taken, EngineError> {
    let call = store
        .script(&CLAIM, &request.queue)
        .arg(store.now().as_millis())
        .arg(request.token.as_str())
        .arg(whole_millis(request.lease_for).max(1))
        .arg(max)
        .arg(PROMOTE_STEP);
    let mut answer = Parts::of(store.call(&request.queue, &call).await?);
    let paused = answer.int()? == 1;
    let due = answer
        .some_text()?
        .and_then(|due| super::reply::number(&due));
    report_orphans(&request.queue, answer.next()?);
    let mut taken = Taken {
        jobs: Vec::new(),
        unfit: Vec::new(),
        next_due: due.map(Timestamp::from_millis),
        paused,
    };
    let mut jobs = Parts::of(answer.next()?);
    while !jobs.is_empty() {
        read_job(store, request, &mut jobs, &mut taken)?;
    }
    Ok(taken)
}

/// Ids without a job occur after a failover or an eviction. They are gone from the lists now.
pub(super) fn report_orphans(queue: &QueueName, ids: Value) {
    for id in list(ids).into_iter().filter_map(text) {
        tracing::warn!(queue = %queue, job = id, "a job without name or payload was taken out of the queue; Redis lost its data");
    }
}

fn read_job(
    store: &Store,
    request: &ClaimRequest,
    parts: &mut Parts,
    taken: &mut Taken,
) -> Result<(), EngineError> {
    let id = JobId::lookup(parts.text()?);
    let name = parts.text()?;
    let data = parts.text()?;
    let options = StoredOptions::read(&parts.text()?);
    let created_at = parts.text()?;
    let attempts_made = small(&parts.text()?).unwrap_or(0);
    let start = u32::try_from(parts.int()?).unwrap_or(u32::MAX);
    let priority = small(&parts.text()?).unwrap_or(0);
    let stalls = small(&parts.text()?).unwrap_or(0);
    let deferred = parts.some_text()?;
    let scheduler = parts.some_text()?;
    let parent = parts.some_text()?;
    let lease = Lease {
        queue: request.queue.clone(),
        id,
        token: request.token.clone(),
        start,
    };
    let held = HeldJob {
        options,
        priority,
        attempts_made,
        stalls,
    };
    store.hold(&lease, held);
    let data = RawValue::from_string(data);
    let unfit = match (&deferred, &data) {
        (Some(reason), _) => Some(reason.clone()),
        (None, Err(error)) => Some(format!("the payload is no JSON: {error}")),
        (None, Ok(_)) => None,
    };
    match (unfit, data) {
        (None, Ok(data)) => taken.jobs.push(ClaimedJob {
            lease,
            name,
            data,
            attempt: attempts_made.saturating_add(1),
            max_attempts: options.max_attempts,
            priority,
            created_at: Timestamp::from_millis(
                super::reply::number(&created_at).unwrap_or_default(),
            ),
            timeout: options.timeout,
            group: None,
            parent: parent.and_then(|key| store.keys.job_ref(&key)),
            scheduler: scheduler.map(SchedulerId::lookup),
        }),
        (reason, _) => taken.unfit.push(Finish {
            lease,
            ending: Ending::Failed {
                error: reason.unwrap_or_default(),
                retryable: false,
                wait: None,
            },
        }),
    }
    Ok(())
}
