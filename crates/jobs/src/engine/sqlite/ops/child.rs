//! What becomes of a child, and what its parent does about it.

use rusqlite::{Params, params};

use super::super::tx::{QueueRef, Tx};
use super::leave::Left;
use super::stored::{Reason, StoredJob, state_of};
use crate::error::EngineError;
use crate::events::JobEventKind;
use crate::flow::ChildFailure;
use crate::names::JobId;
use crate::state::{State, Trigger, decide};

/// How a child stands with its parent, as stored.
pub(in super::super) mod outcome {
    pub(in super::super::super) const PENDING: i64 = 0;
    pub(in super::super::super) const COMPLETED: i64 = 1;
    /// Failed, and the parent goes on.
    pub(in super::super::super) const IGNORED: i64 = 2;
    /// Failed, and the parent with it.
    pub(in super::super::super) const FAILED: i64 = 3;
}

/// Something a parent has to know.
#[derive(Debug)]
pub(super) struct ChildNews {
    /// The parent's row.
    pub(super) parent: i64,
    pub(super) queue: QueueRef,
    pub(super) id: JobId,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Completed {
        result: String,
    },
    Failed {
        why: String,
        means: ChildFailure,
    },
    Removed,
    /// It was retried by hand.
    Reopened,
}

/// What the parent of `job` has to be told, if it has one and the change matters to it.
pub(super) fn news(queue: QueueRef, job: &StoredJob, left: &Left<'_>) -> Option<ChildNews> {
    let what = match left.to {
        None => What::Removed,
        Some(State::Completed) => What::Completed {
            result: left.result.unwrap_or("null").to_owned(),
        },
        Some(State::Failed) => failure(job, left.why.unwrap_or_default(), left.kept)?,
        Some(_) if job.facts.state == State::Failed => What::Reopened,
        Some(_) => return None,
    };
    Some(ChildNews {
        parent: job.parent?,
        queue,
        id: job.id.clone(),
        what,
    })
}

/// What a failure for good means; nothing while the parent waits for a retry by hand.
pub(super) fn failure(job: &StoredJob, why: &str, kept: bool) -> Option<What> {
    match job.settings.on_failure {
        ChildFailure::ParentWaits if kept => None,
        // Nobody could retry it.
        ChildFailure::ParentWaits => Some(What::Removed),
        means => Some(What::Failed {
            why: why.to_owned(),
            means,
        }),
    }
}

/// Removes finished jobs by a statement that gives `queue, state, id, parent` of each; says how many. What
/// parents still wait for (a failed child that somebody could have retried) is told to them.
pub(super) fn pruned(
    tx: &mut Tx<'_>,
    sql: &str,
    params: impl Params,
) -> Result<usize, EngineError> {
    let removed: Vec<Pruned> = {
        let mut delete = tx.connection.prepare_cached(sql)?;
        let rows = delete.query_map(params, |row| {
            let parent: Option<i64> = row.get(3)?;
            Ok(Pruned {
                queue: row.get(0)?,
                state: row.get(1)?,
                child: match parent {
                    Some(parent) => Some((JobId::lookup(row.get::<_, String>(2)?), parent)),
                    None => None,
                },
            })
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let count = removed.len();
    for pruned in removed {
        let queue = tx.queue_by_id(pruned.queue)?;
        let state = state_of(pruned.state)?;
        tx.count_move(queue, Some(state), None);
        if let Some((id, parent)) = pruned.child
            && state == State::Failed
        {
            let what = What::Removed;
            let news = ChildNews {
                parent,
                queue,
                id,
                what,
            };
            tell(tx, news)?;
        }
    }
    Ok(count)
}

/// A row that is gone.
struct Pruned {
    queue: i64,
    state: i64,
    /// Its id and its parent's row, if it has one.
    child: Option<(JobId, i64)>,
}

/// Tells a parent, its own parent, and so on.
pub(super) fn tell(tx: &mut Tx<'_>, news: ChildNews) -> Result<(), EngineError> {
    let mut news = Some(news);
    // Not a recursion: jobs under way may nest flows as deep as they like.
    while let Some(told) = news {
        news = tell_parent(tx, &told)?;
    }
    Ok(())
}

/// Notes the news with the parent, which is released or fails if it is time to. Gives what the parent's own
/// parent has to be told.
fn tell_parent(tx: &mut Tx<'_>, told: &ChildNews) -> Result<Option<ChildNews>, EngineError> {
    let Some(mut parent) = StoredJob::by_seq(tx, told.parent)? else {
        return Ok(None);
    };
    let change = note(tx, told)?;
    if change != 0 {
        parent.pending += change;
        count_pending(tx, parent.seq, change)?;
    }
    match &told.what {
        What::Failed {
            why,
            means: ChildFailure::FailParent,
        } => {
            let why = format!(
                "the child {}/{} failed: {why}",
                tx.name(told.queue),
                told.id
            );
            let limits = tx.shared.limits;
            fail(tx, &parent, limits.cut_error(&why))
        }
        What::Failed {
            means: ChildFailure::ContinueParent,
            ..
        } => release(tx, &parent),
        _ if parent.pending <= 0 => release(tx, &parent),
        _ => Ok(None),
    }
}

/// Adds to the number of children a job waits for.
pub(super) fn count_pending(tx: &Tx<'_>, seq: i64, change: i64) -> Result<(), EngineError> {
    tx.connection
        .prepare_cached("UPDATE paceline_jobs SET pending = pending + ?2 WHERE seq = ?1")?
        .execute([seq, change])?;
    Ok(())
}

/// Lets a job go on that waits for its children; does nothing to another.
pub(super) fn release(
    tx: &mut Tx<'_>,
    parent: &StoredJob,
) -> Result<Option<ChildNews>, EngineError> {
    let Ok(change) = decide(&parent.facts, Trigger::ChildrenDone, tx.now) else {
        return Ok(None);
    };
    let queue = tx.queue_by_id(parent.queue)?;
    let news = parent.settle(tx, queue, &change, Reason::Keep, None)?;
    tx.tell(queue, Some(&parent.id), JobEventKind::Waiting);
    Ok(news)
}

/// Fails a job because of a child: now, or when its attempt ends. One that ended stays as it is.
fn fail(tx: &mut Tx<'_>, parent: &StoredJob, why: &str) -> Result<Option<ChildNews>, EngineError> {
    if parent.facts.state == State::Active {
        tx.connection
            .prepare_cached("UPDATE paceline_jobs SET deferred_failure = ?2 WHERE seq = ?1")?
            .execute(params![parent.seq, why])?;
        return Ok(None);
    }
    let Ok(change) = decide(&parent.facts, Trigger::ChildFailed, tx.now) else {
        return Ok(None);
    };
    let queue = tx.queue_by_id(parent.queue)?;
    let news = parent.settle(tx, queue, &change, Reason::Is(why), None)?;
    tx.tell(queue, Some(&parent.id), JobEventKind::Failed);
    tx.tell_more(|event| event.error = Some(why.to_owned()));
    Ok(news)
}

/// Stores how the child stands; gives by how much the number of pending children changed.
fn note(tx: &Tx<'_>, told: &ChildNews) -> Result<i64, EngineError> {
    let queue = tx.name(told.queue);
    let end = |outcome: i64, value: Option<&str>| -> Result<i64, EngineError> {
        let sql = "UPDATE paceline_children SET outcome = ?4, value = ?5 \
                   WHERE parent = ?1 AND queue = ?2 AND id = ?3 AND outcome = 0";
        let row = params![
            told.parent,
            queue.as_str(),
            told.id.as_str(),
            outcome,
            value
        ];
        let changed = tx.connection.prepare_cached(sql)?.execute(row)?;
        Ok(-i64::from(changed > 0))
    };
    let child = params![told.parent, queue.as_str(), told.id.as_str()];
    match &told.what {
        What::Completed { result } => end(outcome::COMPLETED, Some(result)),
        What::Failed {
            why,
            means: ChildFailure::FailParent,
        } => end(outcome::FAILED, Some(why)),
        What::Failed {
            why,
            means: ChildFailure::ContinueParent | ChildFailure::IgnoreDependency,
        } => end(outcome::IGNORED, Some(why)),
        What::Failed { .. } | What::Removed => {
            let sql = "DELETE FROM paceline_children WHERE parent = ?1 AND queue = ?2 AND id = ?3 AND outcome = 0";
            let changed = tx.connection.prepare_cached(sql)?.execute(child)?;
            Ok(-i64::from(changed > 0))
        }
        What::Reopened => {
            let sql = "INSERT INTO paceline_children (parent, queue, id) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET outcome = 0, value = NULL WHERE outcome <> 0";
            let changed = tx.connection.prepare_cached(sql)?.execute(child)?;
            Ok(i64::from(changed > 0))
        }
    }
}
