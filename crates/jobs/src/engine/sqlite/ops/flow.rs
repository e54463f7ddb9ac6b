//! Adding jobs that wait for each other. A job that is there already is taken as it stands: it may become a
//! child, but nothing below it is added.

use rusqlite::params;

use super::super::tx::{QueueRef, Tx};
use super::add::{self, Entered, Origin};
use super::child::{self, ChildNews, What, outcome};
use super::lease::held_job;
use super::stored::StoredJob;
use crate::engine::Lease;
use crate::error::{AddError, EngineError, LeaseError};
use crate::flow::{AddedFlow, Flow, JobRef};
use crate::names::JobId;
use crate::state::State;

/// Adds a tree, all or nothing.
pub(in super::super) fn add(tx: &mut Tx<'_>, flow: &Flow) -> Result<AddedFlow, AddError> {
    let mut planting = Planting::default();
    let queue = tx.queue(&flow.queue)?;
    let origin = Origin {
        parent: None,
        has_children: !flow.children.is_empty(),
    };
    let entered = add::enter(tx, queue, &flow.job, &origin, None)?;
    let (id, existing) = match entered {
        Entered::Existing(id) => (id, true),
        Entered::New { id, seq } => {
            return planting
                .children(tx, flow, id, seq)
                .and_then(|added| planting.settle(tx).map(|()| added));
        }
    };
    Ok(named(flow, id, existing, Vec::new()))
}

/// Adds children to a job under way.
pub(in super::super) fn add_children(
    tx: &mut Tx<'_>,
    lease: &Lease,
    children: &[Flow],
) -> Result<Vec<AddedFlow>, AddError> {
    let (_, job) = held_job(tx, lease).map_err(|error| match error {
        LeaseError::Engine(error) => AddError::Engine(error),
        _ => AddError::LeaseLost,
    })?;
    let mut planting = Planting::default();
    let added = planting.all(tx, children, job.seq)?;
    planting.settle(tx)?;
    Ok(added)
}

fn named(flow: &Flow, id: JobId, existing: bool, children: Vec<AddedFlow>) -> AddedFlow {
    let job = JobRef {
        queue: flow.queue.clone(),
        id,
    };
    AddedFlow {
        job,
        existing,
        children,
    }
}

/// A tree being added. What its parents have to be told waits until all of it stands, so that none is
/// released before its last child is there.
#[derive(Debug, Default)]
struct Planting {
    news: Vec<ChildNews>,
    /// Parents that were added, the lowest first.
    parents: Vec<i64>,
}

impl Planting {
    /// Adds the children of the job in row `seq`, which was just added.
    fn children(
        &mut self,
        tx: &mut Tx<'_>,
        flow: &Flow,
        id: JobId,
        seq: i64,
    ) -> Result<AddedFlow, AddError> {
        let children = self.all(tx, &flow.children, seq)?;
        if !children.is_empty() {
            self.parents.push(seq);
        }
        Ok(named(flow, id, false, children))
    }

    fn all(
        &mut self,
        tx: &mut Tx<'_>,
        children: &[Flow],
        parent: i64,
    ) -> Result<Vec<AddedFlow>, AddError> {
        let mut added = Vec::with_capacity(children.len());
        let mut pending = 0;
        for child in children {
            let (child, waits) = self.child(tx, child, parent)?;
            pending += i64::from(waits);
            added.push(child);
        }
        child::count_pending(tx, parent, pending)?;
        Ok(added)
    }

    /// Adds one child, or takes the job that is there already; says whether the parent waits for it now.
    fn child(
        &mut self,
        tx: &mut Tx<'_>,
        flow: &Flow,
        parent: i64,
    ) -> Result<(AddedFlow, bool), AddError> {
        if let Some(id) = &flow.job.options.id
            && is_done(tx, parent, flow, id)?
        {
            return Ok((named(flow, id.clone(), true, Vec::new()), false));
        }
        let queue = tx.queue(&flow.queue)?;
        let origin = Origin {
            parent: Some(parent),
            has_children: !flow.children.is_empty(),
        };
        match add::enter(tx, queue, &flow.job, &origin, None)? {
            Entered::New { id, seq } => {
                let waits = note_pending(tx, parent, flow, &id)?;
                Ok((self.children(tx, flow, id, seq)?, waits))
            }
            Entered::Existing(id) => {
                let waits = self.adopt(tx, queue, flow, &id, parent)?;
                Ok((named(flow, id, true, Vec::new()), waits))
            }
        }
    }

    /// Makes a job that is there already a child.
    fn adopt(
        &mut self,
        tx: &mut Tx<'_>,
        queue: QueueRef,
        flow: &Flow,
        id: &JobId,
        parent: i64,
    ) -> Result<bool, AddError> {
        let queue_id = tx.row(queue).id;
        // A job that held a deduplication id for a time may be gone: nothing to wait for.
        let Some(mut job) = StoredJob::find(tx, queue_id, id)? else {
            return Ok(false);
        };
        if job.facts.state == State::Completed {
            let (result, _) = ending(tx, job.seq)?;
            let result = result.unwrap_or_else(|| "null".to_owned());
            note_completed(tx, parent, flow, id, &result)?;
            return Ok(false);
        }
        if waits_for(tx, parent, job.seq)? {
            return Err(AddError::OptionConflict(
                "a job of the flow would wait for itself: its child has the id of a job above it",
            ));
        }
        if let Some(other) = job.parent.filter(|other| *other != parent) {
            match StoredJob::by_seq(tx, other)? {
                Some(other) if !other.facts.state.is_finished() => {
                    let queue = flow.queue.clone();
                    let id = id.clone();
                    return Err(AddError::ChildTaken { queue, id });
                }
                // It ended; should it start over, it must not wait for a child that tells another.
                Some(_) => self.tell(other, queue, id, What::Removed),
                None => {}
            }
        }
        job.settings.on_failure = flow.job.options.on_failure;
        link(tx, &job, parent)?;
        let waits = note_pending(tx, parent, flow, id)?;
        if job.facts.state == State::Failed {
            let (_, why) = ending(tx, job.seq)?;
            if let Some(what) = child::failure(&job, &why.unwrap_or_default(), true) {
                self.tell(parent, queue, id, what);
            }
        }
        Ok(waits)
    }

    fn tell(&mut self, parent: i64, queue: QueueRef, id: &JobId, what: What) {
        self.news.push(ChildNews {
            parent,
            queue,
            id: id.clone(),
            what,
        });
    }

    /// The tree stands: tells what is to be told, and releases parents whose children are all done.
    fn settle(self, tx: &mut Tx<'_>) -> Result<(), AddError> {
        for news in self.news {
            child::tell(tx, news)?;
        }
        for seq in self.parents {
            let Some(parent) = StoredJob::by_seq(tx, seq)? else {
                continue;
            };
            if parent.pending <= 0 {
                child::release(tx, &parent)?;
            }
        }
        Ok(())
    }
}

/// Whether a child of this id completed already: an attempt that is made again adds its children again, and
/// those that are done may be gone.
fn is_done(tx: &Tx<'_>, parent: i64, flow: &Flow, id: &JobId) -> Result<bool, EngineError> {
    let sql = "SELECT 1 FROM paceline_children WHERE parent = ?1 AND queue = ?2 AND id = ?3 AND outcome = 1";
    let child = params![parent, flow.queue.as_str(), id.as_str()];
    Ok(tx.connection.prepare_cached(sql)?.exists(child)?)
}

/// Notes a child to be waited for; says whether it was not before.
fn note_pending(tx: &Tx<'_>, parent: i64, flow: &Flow, id: &JobId) -> Result<bool, EngineError> {
    let sql = "INSERT INTO paceline_children (parent, queue, id) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET outcome = 0, value = NULL WHERE outcome <> 0";
    let child = params![parent, flow.queue.as_str(), id.as_str()];
    Ok(tx.connection.prepare_cached(sql)?.execute(child)? > 0)
}

/// Notes a child that had completed before.
fn note_completed(
    tx: &Tx<'_>,
    parent: i64,
    flow: &Flow,
    id: &JobId,
    result: &str,
) -> Result<(), EngineError> {
    let sql = "INSERT OR IGNORE INTO paceline_children (parent, queue, id, outcome, value) VALUES (?1, ?2, ?3, ?4, ?5)";
    let queue = flow.queue.as_str();
    let row = params![parent, queue, id.as_str(), outcome::COMPLETED, result];
    tx.connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// A job's result and its failure reason.
fn ending(tx: &Tx<'_>, seq: i64) -> Result<(Option<String>, Option<String>), EngineError> {
    let sql = "SELECT result, failed_reason FROM paceline_jobs WHERE seq = ?1";
    Ok(tx
        .connection
        .prepare_cached(sql)?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn link(tx: &Tx<'_>, job: &StoredJob, parent: i64) -> Result<(), EngineError> {
    let sql = "UPDATE paceline_jobs SET parent = ?2, settings = ?3 WHERE seq = ?1";
    let row = params![job.seq, parent, job.settings.to_text()?];
    tx.connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Whether the job in row `above` is the one in row `seq`, or the one waiting for that, and so on.
fn waits_for(tx: &Tx<'_>, seq: i64, above: i64) -> Result<bool, EngineError> {
    let sql = "WITH RECURSIVE up (seq) AS (SELECT ?1 UNION SELECT j.parent FROM up JOIN paceline_jobs AS j ON j.seq = up.seq \
               WHERE j.parent IS NOT NULL) SELECT EXISTS (SELECT 1 FROM up WHERE seq = ?2)";
    Ok(tx
        .connection
        .prepare_cached(sql)?
        .query_row([seq, above], |row| row.get(0))?)
}
