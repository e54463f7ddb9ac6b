//! Schedulers in BullMQ's way: the job of the next slot is made ahead and waits, delayed until its time; when it
//! starts, whoever takes it makes the next one. Upkeep makes up for one that died in between.

use redis::Value;

use super::job_options::whole_millis;
use super::reply::{Parts, int, number, text};
use super::script::{SCHEDULE, SCHEDULERS, UNSCHEDULE};
use super::store::{LIBRARY, Store};
use super::stored_scheduler::{StoredScheduler, fields, first_job_opts, slot_id};
use crate::clock::Timestamp;
use crate::engine::checks::{check_job, refuse_groups};
use crate::engine::{ClaimedJob, NewJob};
use crate::error::{AddError, EngineError};
use crate::names::{QueueName, SchedulerId};
use crate::scheduler::{Plan, Scheduler, SchedulerInfo, Standing};

/// Slots tried when those before have their jobs already.
const SLOTS_TRIED: usize = 32;
/// How late a slot must be before upkeep takes it that nobody makes the next one.
const GIVEN_UP_AFTER: i64 = 1_000;

/// Stores a scheduler.
pub(super) async fn upsert(
    store: &Store,
    queue: &QueueName,
    scheduler: &Scheduler,
) -> Result<SchedulerInfo, AddError> {
    check(store, scheduler)?;
    let plan = Plan::new(scheduler)?;
    for _ in 0..SLOTS_TRIED {
        let (count, known) = read(store, queue, scheduler.id.as_str()).await?;
        let max = store.settings.limits.schedulers;
        if known.is_none() && count >= max as u64 {
            return Err(AddError::TooManySchedulers { max });
        }
        if put(store, queue, scheduler, &plan, known.as_ref()).await? {
            let (_, known) = read(store, queue, scheduler.id.as_str()).await?;
            let known = known.ok_or(EngineError::Damaged("scheduler"))?;
            return Ok(known.info());
        }
    }
    Err(EngineError::Busy(store.settings.deadline).into())
}

fn check(store: &Store, scheduler: &Scheduler) -> Result<(), AddError> {
    refuse_groups(std::iter::once(&scheduler.options))?;
    let job = NewJob {
        name: scheduler.name.clone(),
        data: scheduler.data.clone(),
        options: scheduler.options.clone(),
    };
    check_job(&job, &store.settings.limits)
}

/// Tries to store the scheduler over what is known of it; false when somebody else was faster.
async fn put(
    store: &Store,
    queue: &QueueName,
    scheduler: &Scheduler,
    plan: &Plan,
    known: Option<&StoredScheduler>,
) -> Result<bool, EngineError> {
    let now = store.now();
    let made = known.map_or(0, |known| {
        known.made - u64::from(known.is_ahead).min(known.made)
    });
    let mut slot = match known {
        Some(known) if known.is_ahead && known.scheduler.schedule == scheduler.schedule => {
            Some(known.slot)
        }
        Some(known) if !known.is_ahead => plan.following(made, known.slot, now),
        _ => {
            let standing = Standing {
                made,
                last: None,
                next: None,
            };
            plan.first(standing, now)
        }
    };
    for _ in 0..SLOTS_TRIED {
        let opts = slot.map(|slot| first_job_opts(scheduler, made, slot, now));
        let answer = tell(
            store,
            queue,
            scheduler,
            known,
            &fields(scheduler, slot),
            slot,
            opts,
        )
        .await?;
        match answer.as_str() {
            "done" => return Ok(true),
            "taken" => slot = slot.and_then(|slot| plan.following(made, slot, slot)),
            _ => return Ok(false),
        }
    }
    Ok(false)
}

async fn tell(
    store: &Store,
    queue: &QueueName,
    scheduler: &Scheduler,
    known: Option<&StoredScheduler>,
    fields: &[(&'static str, String)],
    slot: Option<Timestamp>,
    opts: Option<String>,
) -> Result<String, EngineError> {
    let now = store.now();
    let millis = |time: Option<Timestamp>| {
        time.map(|time| time.as_millis().to_string())
            .unwrap_or_default()
    };
    let mut call = store
        .script(&SCHEDULE, queue)
        .arg(now.as_millis())
        .arg(LIBRARY)
        .arg(scheduler.id.as_str())
        .arg(millis(known.map(|known| known.slot)))
        .arg(millis(slot))
        .arg(fields.len());
    for (name, value) in fields {
        call.push(*name).push(value.as_str());
    }
    let slot = slot.unwrap_or(now);
    call.push(slot_id(scheduler.id.as_str(), slot))
        .push(if scheduler.options.lifo { "l" } else { "" })
        .push(scheduler.name.as_str())
        .push(scheduler.data.get())
        .push(opts.unwrap_or_default())
        .push(whole_millis(slot.saturating_since(now)))
        .push(scheduler.options.priority)
        .push(&["", "", "", "", ""]);
    text(store.call(queue, &call).await?).ok_or(EngineError::Damaged("answer"))
}

/// How many schedulers there are, and this one.
async fn read(
    store: &Store,
    queue: &QueueName,
    id: &str,
) -> Result<(u64, Option<StoredScheduler>), EngineError> {
    let call = store.script(&SCHEDULERS, queue).arg(id).arg(1);
    let mut answer = Parts::of(store.call(queue, &call).await?);
    let count = answer.count()?;
    Ok((count, all(answer.next()?)?.pop()))
}

fn all(answer: Value) -> Result<Vec<StoredScheduler>, EngineError> {
    let mut parts = Parts::of(answer);
    let mut found = Vec::new();
    while !parts.is_empty() {
        let id = parts.text()?;
        let slot = number(&parts.text()?).unwrap_or(0);
        let is_ahead = parts.int()? == 1;
        let slot = Timestamp::from_millis(slot);
        found.extend(StoredScheduler::read(id, slot, is_ahead, parts.next()?));
    }
    Ok(found)
}

/// The schedulers of a queue, by id.
pub(super) async fn list(
    store: &Store,
    queue: &QueueName,
) -> Result<Vec<SchedulerInfo>, EngineError> {
    let mut found: Vec<SchedulerInfo> = stored(store, queue)
        .await?
        .into_iter()
        .map(StoredScheduler::info)
        .collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

async fn stored(store: &Store, queue: &QueueName) -> Result<Vec<StoredScheduler>, EngineError> {
    let most = store.settings.limits.schedulers;
    let call = store.script(&SCHEDULERS, queue).arg("").arg(most.max(1));
    let mut answer = Parts::of(store.call(queue, &call).await?);
    answer.count()?;
    all(answer.next()?)
}

/// Removes a scheduler and its job that has not started.
pub(super) async fn remove(
    store: &Store,
    queue: &QueueName,
    id: &SchedulerId,
) -> Result<bool, EngineError> {
    let call = store
        .script(&UNSCHEDULE, queue)
        .arg(store.now().as_millis())
        .arg(id.as_str());
    Ok(int(&store.call(queue, &call).await?) == Some(1))
}

/// A job was taken: if it is that of its scheduler's slot, the job of the next slot is made. What fails here
/// is made up for by upkeep.
pub(super) async fn started(store: &Store, job: &ClaimedJob) {
    let Some(scheduler) = &job.scheduler else {
        return;
    };
    let queue = &job.lease.queue;
    let advanced = async {
        let (_, known) = read(store, queue, scheduler.as_str()).await?;
        match known {
            Some(known) if slot_id(scheduler.as_str(), known.slot) == job.lease.id.as_str() => {
                advance(store, queue, &known).await
            }
            _ => Ok(()),
        }
    };
    if let Err(error) = advanced.await {
        tracing::warn!(queue = %queue, scheduler = %scheduler, error = &error as &dyn std::error::Error, "cannot make the next job of a scheduler; upkeep will");
    }
}

/// Makes the job of the slot after the one the scheduler stands at.
async fn advance(
    store: &Store,
    queue: &QueueName,
    known: &StoredScheduler,
) -> Result<(), EngineError> {
    let plan = match Plan::new(&known.scheduler) {
        Ok(plan) => plan,
        Err(error) => {
            tracing::warn!(queue = %queue, scheduler = %known.scheduler.id, "a schedule of another program is not understood: {error}");
            return Ok(());
        }
    };
    let now = store.now();
    let mut slot = plan.following(known.made, known.slot, now);
    for _ in 0..SLOTS_TRIED {
        let Some(next) = slot else {
            return Ok(());
        };
        let opts = Some(known.job_opts(next, now));
        let answer = tell(store, queue, &known.scheduler, Some(known), &[], slot, opts).await?;
        if answer != "taken" {
            return Ok(());
        }
        slot = plan.following(known.made, next, next);
    }
    Ok(())
}

/// Makes the jobs that somebody died before making.
pub(super) async fn make_up(store: &Store, queue: &QueueName) -> Result<(), EngineError> {
    let overdue = store.now().as_millis().saturating_sub(GIVEN_UP_AFTER);
    let mut due = redis::cmd("ZCOUNT");
    due.arg(store.keys.of(queue, "repeat"))
        .arg("-inf")
        .arg(overdue);
    if int(&store.link.query(&due).await?).unwrap_or(0) == 0 {
        return Ok(());
    }
    for known in stored(store, queue).await? {
        if !known.is_ahead && known.slot.as_millis() <= overdue {
            advance(store, queue, &known).await?;
        }
    }
    Ok(())
}
