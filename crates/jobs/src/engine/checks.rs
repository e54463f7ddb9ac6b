//! What is refused before an engine is asked: the same for every engine.

use super::NewJob;
use crate::error::AddError;
#[cfg(feature = "redis")]
use crate::error::EngineError;
use crate::flow::Flow;
use crate::limits::Limits;
#[cfg(feature = "redis")]
use crate::options::JobOptions;
use crate::transfer::JobRecord;

/// Refuses too many jobs, and too large ones.
pub(crate) fn check_jobs(jobs: &[NewJob], limits: &Limits) -> Result<(), AddError> {
    if jobs.len() > limits.bulk {
        return Err(AddError::TooMany {
            count: jobs.len(),
            max: limits.bulk,
        });
    }
    jobs.iter().try_for_each(|job| check_job(job, limits))
}

/// Refuses a job that is too large.
pub(crate) fn check_job(job: &NewJob, limits: &Limits) -> Result<(), AddError> {
    let key = job.options.idempotency.as_ref();
    for (what, size, max) in [
        ("payload", job.data.get().len(), limits.payload),
        ("job name", job.name.len(), 255),
        ("idempotency key", key.map_or(0, |key| key.key.len()), 255),
    ] {
        if size > max {
            return Err(AddError::TooLarge { what, size, max });
        }
    }
    Ok(())
}

/// Refuses too many jobs of another store, and too large ones.
pub(crate) fn check_transfer(jobs: &[JobRecord], limits: &Limits) -> Result<(), AddError> {
    let (count, max) = (jobs.len(), limits.bulk);
    if count > max {
        return Err(AddError::TooMany { count, max });
    }
    for job in jobs {
        for (what, size, max) in [
            ("payload", job.data.get().len(), limits.payload),
            ("job name", job.name.len(), 255),
            ("job id", job.id.as_str().len(), 255),
        ] {
            if size > max {
                return Err(AddError::TooLarge { what, size, max });
            }
        }
    }
    Ok(())
}

/// Refuses flows that are too large, and options that mean nothing in a flow.
pub(crate) fn check_flow(flow: &Flow, limits: &Limits) -> Result<(), AddError> {
    bounded(flow.len(), flow.depth(), limits)?;
    check_node(flow, limits)
}

/// As [`check_flow`], for children of a job under way.
pub(crate) fn check_children(flows: &[Flow], limits: &Limits) -> Result<(), AddError> {
    let jobs: usize = flows.iter().map(Flow::len).sum();
    let levels = flows.iter().map(Flow::depth).max().unwrap_or(0);
    bounded(1 + jobs, 1 + levels, limits)?;
    flows.iter().try_for_each(|flow| check_child(flow, limits))
}

fn bounded(jobs: usize, levels: usize, limits: &Limits) -> Result<(), AddError> {
    for (what, count, max) in [
        ("jobs", jobs, limits.flow),
        ("levels", levels, limits.flow_depth),
    ] {
        if count > max {
            return Err(AddError::FlowTooLarge { what, count, max });
        }
    }
    Ok(())
}

fn check_node(flow: &Flow, limits: &Limits) -> Result<(), AddError> {
    check_job(&flow.job, limits)?;
    if let Some(deduplication) = &flow.job.options.deduplication
        && (deduplication.replace || deduplication.keep_last_if_active)
    {
        return Err(AddError::OptionConflict(
            "a job of a flow cannot use a deduplication that replaces its holder or keeps the last add",
        ));
    }
    flow.children
        .iter()
        .try_for_each(|child| check_child(child, limits))
}

fn check_child(flow: &Flow, limits: &Limits) -> Result<(), AddError> {
    if flow.job.options.idempotency.is_some() {
        return Err(AddError::OptionConflict(
            "only the first job of a flow can have an idempotency key: give the child an id",
        ));
    }
    check_node(flow, limits)
}

/// Refuses jobs of groups, for a store that has none.
#[cfg(feature = "redis")]
pub(crate) fn refuse_groups<'a>(
    mut options: impl Iterator<Item = &'a JobOptions>,
) -> Result<(), EngineError> {
    if options.any(|options| options.group.is_some()) {
        return Err(EngineError::NoGroups);
    }
    Ok(())
}
