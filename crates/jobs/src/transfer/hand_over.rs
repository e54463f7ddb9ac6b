//! One batch: the target takes it, the source forgets it.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Imported, JobRecord, LeftBehind, Transfer, TransferError, TransferReport};
use crate::error::{AddError, EngineError, ManageError};
use crate::names::JobId;
use crate::state::State;

impl Transfer {
    /// Hands `batch` over. Between the add and the removal the target is paused: whatever kills the
    /// process there, no worker has touched what both stores hold. Answers how many of the jobs are
    /// still where they were.
    pub(super) async fn hand_over(
        &self,
        batch: Vec<JobRecord>,
        report: &mut TransferReport,
    ) -> Result<u64, TransferError> {
        if batch.is_empty() {
            return Ok(0);
        }
        self.pause_target(true).await?;
        let ids: Vec<JobId> = batch.iter().map(|job| job.id.clone()).collect();
        let failed: Vec<bool> = batch.iter().map(|job| job.failed_at.is_some()).collect();
        let imported = match self.to.import(&self.queue, batch).await {
            Ok(imported) => imported,
            Err(error) => {
                // Nothing was added, so the target may go on; what went wrong first is told.
                if !report.target_paused {
                    let _ = self.to.set_paused(&self.queue, false).await;
                }
                return Err(refused(error));
            }
        };
        let over = |imported: Imported| imported != Imported::Taken;
        let sent = ids.into_iter().zip(&imported);
        let sent = sent.filter(|(_, imported)| over(**imported));
        let removed = self.forget(sent.map(|(id, _)| id).collect()).await?;
        let mut kept = removed.scheduled + removed.started;
        report.left.started += removed.started;
        report.moved += removed.gone;
        for (imported, failed) in imported.iter().zip(failed) {
            match imported {
                Imported::Added => {}
                Imported::Existing => {
                    report.resent += 1;
                }
                Imported::Taken => {
                    report.left.taken += 1;
                    kept += 1;
                }
            }
            report.failed += u64::from(failed && over(*imported));
        }
        if !report.target_paused {
            self.pause_target(false).await?;
        }
        Ok(kept)
    }

    pub(super) async fn pause_target(&self, paused: bool) -> Result<(), TransferError> {
        let set = self.to.set_paused(&self.queue, paused).await;
        set.map_err(TransferError::Target)
    }

    /// Removes jobs from the source, many at a time: the engine stores them together.
    async fn forget(&self, ids: Vec<JobId>) -> Result<Forgotten, TransferError> {
        let mut removals = JoinSet::new();
        let queue = Arc::new(self.queue.clone());
        for id in ids {
            let (from, queue) = (self.from.clone(), Arc::clone(&queue));
            removals.spawn(async move { from.remove(&queue, &id).await });
        }
        let mut forgotten = Forgotten::default();
        while let Some(removed) = removals.join_next().await {
            match removed.unwrap_or(Err(ManageError::Engine(EngineError::Internal))) {
                Ok(()) | Err(ManageError::NotFound) => forgotten.gone += 1,
                // It goes with its scheduler.
                Err(ManageError::BelongsToScheduler(_)) => forgotten.scheduled += 1,
                Err(ManageError::WrongState(State::Active)) => forgotten.started += 1,
                Err(error) => return Err(TransferError::NotRemoved(error)),
            }
        }
        Ok(forgotten)
    }
}

#[derive(Debug, Default)]
struct Forgotten {
    gone: u64,
    scheduled: u64,
    started: u64,
}

fn refused(error: AddError) -> TransferError {
    match error {
        AddError::Engine(error) => TransferError::Target(error),
        other => TransferError::Refused(other),
    }
}

/// Why a job is not handed over, noted in the report.
pub(super) fn stays(job: &JobRecord, schedulers: bool, due: bool, left: &mut LeftBehind) -> bool {
    if job.parent.is_some() {
        left.flows += 1;
        return true;
    }
    if job.scheduler.is_some() && (!schedulers || !due) {
        left.scheduled += u64::from(!schedulers);
        return true;
    }
    false
}
