//! What a job that changes its state means for others. Every change but a claim comes by here, and none
//! of it costs a statement for a job without group, deduplication and parent.

use super::super::tx::{QueueRef, Tx};
use super::child::{ChildNews, news};
use super::stored::StoredJob;
use super::{deduplication, group};
use crate::error::EngineError;
use crate::state::State;

/// Where a job went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left<'a> {
    /// Its new state; `None` when it was removed.
    pub(super) to: Option<State>,
    /// Whether its row is still there; one that is not kept once finished is not.
    pub(super) kept: bool,
    /// What went wrong.
    pub(super) why: Option<&'a str>,
    /// What it returned.
    pub(super) result: Option<&'a str>,
}

/// Does what the change of `job` (as it was before) means for its group and its deduplication. Gives what
/// its parent has to be told.
pub(super) fn leaving(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &StoredJob,
    left: &Left<'_>,
) -> Result<Option<ChildNews>, EngineError> {
    if let Some(name) = &job.group {
        group::moved(tx, queue, name, Some(job.facts.state), left.to)?;
    }
    if let Some(id) = &job.deduplication
        && left.to.is_none_or(State::is_finished)
    {
        deduplication::release(tx, queue, id, &job.id, left.to.is_none())?;
    }
    Ok(news(queue, job, left))
}
