use redis::Value;

use super::job_options::{self, whole_millis};
use super::reply::Parts;
use super::script::{ADD, Call};
use super::store::{LIBRARY, Store};
use crate::deduplication::Deduplication;
use crate::engine::checks::refuse_groups;
use crate::engine::{Added, NewJob};
use crate::error::{AddError, EngineError};
use crate::names::{JobId, QueueName};
use crate::options::JobOptions;

/// Adds all jobs or none, in one step of the server.
pub(super) async fn add(
    store: &Store,
    queue: &QueueName,
    jobs: &[NewJob],
    max_not_started: Option<u64>,
) -> Result<Vec<Added>, AddError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    refuse_groups(jobs.iter().map(|job| &job.options))?;
    let checked =
        max_not_started.is_some() || jobs.iter().any(|job| job.options.idempotency.is_some());
    let mut call = store
        .script(&ADD, queue)
        .arg(store.now().as_millis())
        .arg(
            max_not_started
                .map(|max| max.to_string())
                .unwrap_or_default(),
        )
        .arg(LIBRARY)
        .arg(jobs.len())
        .arg(i32::from(checked));
    for job in jobs {
        let id = job
            .options
            .id
            .clone()
            .unwrap_or_else(|| JobId::fresh(store.now()));
        push_job(&mut call, &id, job);
    }
    let answer = store.call(queue, &call).await?;
    read(answer, queue, max_not_started)
}

/// The twelve values of a new job.
pub(super) fn push_job(call: &mut Call, id: &JobId, job: &NewJob) {
    let options = &job.options;
    call.push(id.as_str())
        .push(flags(options))
        .push(job.name.as_str())
        .push(job.data.get())
        .push(job_options::write(options))
        .push(whole_millis(options.delay))
        .push(options.priority);
    match &options.idempotency {
        Some(key) => call
            .push(key.key.as_str())
            .push(hex(key.fingerprint.as_bytes()))
            .push(whole_millis(key.hold)),
        None => call.push("").push("").push(""),
    };
    match &options.deduplication {
        Some(Deduplication { id, ttl, .. }) => call.push(id.as_str()).push(
            ttl.map(|ttl| whole_millis(ttl).to_string())
                .unwrap_or_default(),
        ),
        None => call.push("").push(""),
    };
}

fn flags(options: &JobOptions) -> String {
    let deduplication = options.deduplication.as_ref();
    [
        ('c', options.id.is_some()),
        ('l', options.lifo),
        ('e', deduplication.is_some_and(|d| d.extend)),
        ('r', deduplication.is_some_and(|d| d.replace)),
        ('k', deduplication.is_some_and(|d| d.keep_last_if_active)),
    ]
    .into_iter()
    .filter_map(|(flag, set)| set.then_some(flag))
    .collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read(
    answer: Value,
    queue: &QueueName,
    max_not_started: Option<u64>,
) -> Result<Vec<Added>, AddError> {
    let mut parts = Parts::of(answer);
    match parts.text()?.as_str() {
        "added" => {}
        "full" => {
            return Err(AddError::QueueFull {
                queue: queue.clone(),
                max: max_not_started.unwrap_or_default(),
            });
        }
        "conflict" => {
            return Err(AddError::IdempotencyConflict {
                job: JobId::lookup(parts.text()?),
            });
        }
        _ => return Err(EngineError::Damaged("answer").into()),
    }
    let mut added = Vec::new();
    while !parts.is_empty() {
        added.push(Added {
            id: JobId::lookup(parts.text()?),
            existing: parts.int()? == 1,
        });
    }
    Ok(added)
}
