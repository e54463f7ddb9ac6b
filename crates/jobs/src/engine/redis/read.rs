use std::num::NonZeroU32;
use std::time::Duration;

use redis::Value;

use super::reply::{Parts, int, list, number, text};
use super::script::{INFO, READ};
use super::snapshot::StoredJob;
use super::store::Store;
use super::topology::Place;
use crate::engine::LogPage;
use crate::error::EngineError;
use crate::names::{JobId, QueueName};
use crate::settings::{QueueSettings, StartLimit};
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueCounts, QueueInfo};
use crate::state::State;

/// Queues told at most.
const MOST_QUEUES: usize = 10_000;
/// Keys looked at by one round of the search for queues, and rounds at most.
const SCAN_STEP: usize = 1_000;
const SCAN_ROUNDS: usize = 2_000;

pub(super) async fn get(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
) -> Result<Option<JobSnapshot>, EngineError> {
    let call = store.script(&READ, queue).arg("job").arg(id.as_str());
    let page = page(store, queue, store.call(queue, &call).await?)?;
    Ok(page.jobs.into_iter().next())
}

pub(super) async fn list_jobs(
    store: &Store,
    queue: &QueueName,
    state: State,
    which: Page,
) -> Result<JobPage, EngineError> {
    let name = match state {
        State::Waiting => "waiting",
        state => state.as_str(),
    };
    let call = store
        .script(&READ, queue)
        .arg(name)
        .arg(which.offset)
        .arg(which.limit.min(store.settings.limits.page));
    page(store, queue, store.call(queue, &call).await?)
}

pub(super) fn page(
    store: &Store,
    queue: &QueueName,
    answer: Value,
) -> Result<JobPage, EngineError> {
    let mut answer = Parts::of(answer);
    let total = answer.count()?;
    let mut listed = Parts::of(answer.next()?);
    let now = store.now();
    let mut jobs = Vec::new();
    while !listed.is_empty() {
        let state = State::from_name(&listed.text()?).ok_or(EngineError::Damaged("job state"))?;
        let due = listed.some_text()?;
        let lock_millis = listed.int()?;
        let id = JobId::lookup(listed.text()?);
        let mut stored = StoredJob::new(queue, id, state, listed.next()?);
        stored.due_score(due.as_deref());
        if let Ok(left) = u64::try_from(lock_millis) {
            stored.lease_until = Some(now.saturating_add(Duration::from_millis(left)));
        }
        jobs.push(stored.snapshot(&store.keys));
    }
    Ok(JobPage { jobs, total })
}

pub(super) async fn info(
    store: &Store,
    queue: &QueueName,
) -> Result<Option<QueueInfo>, EngineError> {
    let call = store.script(&INFO, queue);
    let mut parts = Parts::of(store.ask(queue, &call).await?);
    if parts.int()? == 0 {
        return Ok(None);
    }
    let paused = parts.int()? == 1;
    let counts = QueueCounts {
        waiting: parts.count()?,
        prioritized: parts.count()?,
        delayed: parts.count()?,
        waiting_children: parts.count()?,
        active: parts.count()?,
        completed: parts.count()?,
        failed: parts.count()?,
    };
    let mut bound = || -> Result<Option<NonZeroU32>, EngineError> {
        Ok(NonZeroU32::new(u32::try_from(parts.int()?).unwrap_or(0)))
    };
    let mut settings = QueueSettings::default().concurrency(bound()?);
    if let (Some(max), Some(per)) = (bound()?, bound()?) {
        settings = settings.rate(Some(StartLimit {
            max,
            per: Duration::from_millis(per.get().into()),
        }));
    }
    Ok(Some(QueueInfo {
        name: queue.clone(),
        paused,
        counts,
        settings,
    }))
}

/// The queues this engine worked with, and those the server's keys tell of.
pub(super) async fn queues(store: &Store) -> Result<Vec<QueueInfo>, EngineError> {
    let mut names = store.noted();
    for place in store.link.topology.places().await? {
        names.extend(scan(store, &place).await?);
    }
    // A cluster may hold keys that no queue of ours can have.
    names.retain(|name| store.place(name).is_ok());
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST_QUEUES);
    let mut found = Vec::new();
    for name in &names {
        found.extend(info(store, name).await?);
    }
    Ok(found)
}

/// Looks through the keys for settings of queues. Bounded: a very large database is not searched to its end.
async fn scan(store: &Store, place: &Place) -> Result<Vec<QueueName>, EngineError> {
    let mut visit = store.link.visit(place).await?;
    let pattern = store.keys.settings_pattern();
    let mut cursor = "0".to_owned();
    let mut names = Vec::new();
    for _ in 0..SCAN_ROUNDS {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor)
            .arg("MATCH")
            .arg(&pattern)
            .arg("COUNT")
            .arg(SCAN_STEP)
            .arg("TYPE")
            .arg("hash");
        let mut answer = Parts::of(visit.query(&scan).await?);
        cursor = answer.text()?;
        let keys = list(answer.next()?).into_iter().filter_map(text);
        names.extend(keys.filter_map(|key| store.keys.queue_of(&key, "meta")));
        if cursor == "0" || names.len() >= MOST_QUEUES {
            break;
        }
    }
    Ok(names)
}

pub(super) async fn logs(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
    page: Page,
) -> Result<LogPage, EngineError> {
    let key = store.keys.of(queue, &format!("{id}:logs"));
    let first = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let limit = page.limit.min(store.settings.limits.page);
    let last = first.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX)) - 1;
    let mut both = redis::pipe();
    both.cmd("LLEN").arg(&key);
    both.cmd("LRANGE").arg(&key).arg(first).arg(last);
    let mut answers = store.pipeline(queue, &both).await?.into_iter();
    let total = answers.next().as_ref().and_then(int).unwrap_or(0);
    let lines = answers.next().map(list).unwrap_or_default();
    Ok(LogPage {
        lines: if limit == 0 {
            Vec::new()
        } else {
            lines.into_iter().filter_map(text).collect()
        },
        total: u64::try_from(total).unwrap_or(0),
    })
}

/// Milliseconds from the score of a delayed job.
pub(super) fn due_millis(score: &str) -> Option<i64> {
    number(score).map(|score| score / 4_096)
}
