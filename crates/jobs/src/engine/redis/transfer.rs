//! Jobs that leave for another store, or come from one.

use std::time::Duration;

use redis::Value;

use super::job_options::{self, whole_millis};
use super::reply::{Parts, int, list, text};
use super::script::{IMPORT, READ};
use super::snapshot::StoredJob;
use super::store::{LIBRARY, Store};
use crate::clock::Timestamp;
use crate::engine::checks::{check_transfer, refuse_groups};
use crate::error::{AddError, EngineError};
use crate::names::{JobId, QueueName};
use crate::options::JobOptions;
use crate::snapshot::Page;
use crate::state::State;
use crate::transfer::{DeduplicationHold, Imported, JobRecord};

/// Jobs of one state in the order they are listed.
pub(super) async fn export(
    store: &Store,
    queue: &QueueName,
    state: State,
    page: Page,
) -> Result<Vec<JobRecord>, EngineError> {
    let call = store
        .script(&READ, queue)
        .arg(state.as_str())
        .arg(page.offset)
        .arg(page.limit.min(store.settings.limits.page));
    let mut answer = Parts::of(store.call(queue, &call).await?);
    answer.count()?;
    let mut parts = Parts::of(answer.next()?);
    let mut found = Vec::new();
    while !parts.is_empty() {
        let state = State::from_name(&parts.text()?).ok_or(EngineError::Damaged("job state"))?;
        let due = parts.some_text()?;
        parts.int()?;
        let id = JobId::lookup(parts.text()?);
        let mut stored = StoredJob::new(queue, id, state, parts.next()?);
        stored.due_score(due.as_deref());
        found.push(record(stored, store));
    }
    holds(store, queue, &mut found).await?;
    Ok(found)
}

fn record(stored: StoredJob<'_>, store: &Store) -> JobRecord {
    let options = stored.options();
    let job = stored.snapshot(&store.keys);
    JobRecord {
        options: JobOptions {
            priority: job.priority,
            attempts: Some(options.max_attempts),
            backoff: options.backoff,
            keep_completed: options.keep_completed,
            keep_failed: options.keep_failed,
            keep_logs: options.keep_logs,
            lifo: options.lifo,
            timeout: options.timeout,
            ..JobOptions::new()
        },
        due_at: job.due_at,
        attempts_made: job.attempts_made,
        stalls: job.stalls,
        failed_reason: job.failed_reason,
        failed_at: job.finished_at.filter(|_| job.state == State::Failed),
        parent: job.parent,
        scheduler: job.scheduler,
        deduplication: job
            .deduplication
            .map(|id| DeduplicationHold { id, until: None }),
        ..JobRecord::new(job.id, job.name, job.data, job.created_at)
    }
}

/// Which deduplications the jobs hold still, and until when.
async fn holds(
    store: &Store,
    queue: &QueueName,
    jobs: &mut [JobRecord],
) -> Result<(), EngineError> {
    let mut held: Vec<&mut JobRecord> = jobs
        .iter_mut()
        .filter(|job| job.deduplication.is_some())
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let mut ask = redis::pipe();
    for hold in held.iter().filter_map(|job| job.deduplication.as_ref()) {
        let key = store.keys.of(queue, &format!("de:{}", hold.id));
        ask.cmd("GET").arg(&key);
        ask.cmd("PTTL").arg(&key);
    }
    let now = store.now();
    let mut answers = store.link.pipeline(&ask).await?.into_iter();
    for job in &mut held {
        let holder = answers.next().and_then(text);
        let millis = answers.next().as_ref().and_then(int).unwrap_or(-2);
        if holder.as_deref() != Some(job.id.as_str()) {
            job.deduplication = None;
        } else if let (Some(hold), Ok(left)) = (&mut job.deduplication, u64::try_from(millis)) {
            hold.until = Some(now.saturating_add(Duration::from_millis(left)));
        }
    }
    Ok(())
}

/// Takes jobs of another store, in one step of the server.
pub(super) async fn import(
    store: &Store,
    queue: &QueueName,
    jobs: &[JobRecord],
) -> Result<Vec<Imported>, AddError> {
    check_transfer(jobs, &store.settings.limits)?;
    refuse_groups(jobs.iter().map(|job| &job.options))?;
    let now = store.now();
    let mut call = store
        .script(&IMPORT, queue)
        .arg(now.as_millis())
        .arg(LIBRARY)
        .arg(jobs.len());
    let millis =
        |at: Option<Timestamp>| at.map(|at| at.as_millis().to_string()).unwrap_or_default();
    for job in jobs {
        let due = job
            .due_at
            .filter(|due| *due > now && job.failed_at.is_none());
        // The due time is told as BullMQ has it: so long after the job was added.
        let delay = due.map_or(Duration::ZERO, |due| due.saturating_since(job.created_at));
        let hold = job.deduplication.as_ref();
        call.push(job.id.as_str())
            .push(job.name.as_str())
            .push(job.data.get())
            .push(job_options::write(&job.options))
            .push(job.created_at.as_millis())
            .push(whole_millis(delay))
            .push(job.options.priority)
            .push(job.attempts_made)
            .push(job.stalls)
            .push(job.attempts_made.saturating_add(job.stalls))
            .push(job.failed_reason.as_deref().unwrap_or_default())
            .push(millis(job.failed_at))
            .push(hold.map_or("", |hold| hold.id.as_str()))
            .push(millis(hold.and_then(|hold| hold.until)))
            .push(job.scheduler.as_ref().map_or("", |id| id.as_str()));
    }
    let answer: Value = store.call(queue, &call).await?;
    let answered = list(answer)
        .into_iter()
        .map(|word| match text(word).as_deref() {
            Some("added") => Ok(Imported::Added),
            Some("existing") => Ok(Imported::Existing),
            Some("taken") => Ok(Imported::Taken),
            _ => Err(EngineError::Damaged("answer").into()),
        });
    answered.collect()
}
