//! Schedulers go over: stored in the target first, removed from the source afterwards. Both ids are the
//! same and a slot has one job, so a move that was killed in between doubles nothing when it is run again.

use std::num::NonZeroU64;

use super::{Transfer, TransferError, TransferReport};
use crate::error::AddError;
use crate::scheduler::{Scheduler, SchedulerInfo};

impl Transfer {
    pub(super) async fn move_schedulers(
        &self,
        report: &mut TransferReport,
    ) -> Result<(), TransferError> {
        let known = self.from.schedulers(&self.queue).await;
        for info in known.map_err(TransferError::Source)? {
            let id = info.id.clone();
            if let Some(scheduler) = rest_of(info) {
                let stored = self.to.upsert_scheduler(&self.queue, scheduler).await;
                stored.map_err(|error| match error {
                    AddError::Engine(error) => TransferError::Target(error),
                    other => TransferError::Refused(other),
                })?;
            }
            let removed = self.from.remove_scheduler(&self.queue, &id).await;
            removed.map_err(TransferError::Source)?;
            report.schedulers += 1;
        }
        Ok(())
    }
}

/// What is left to be made; `None` when the scheduler has made all its jobs.
fn rest_of(info: SchedulerInfo) -> Option<Scheduler> {
    let limit = match info.limit {
        Some(limit) => Some(NonZeroU64::new(limit.get().saturating_sub(info.made))?),
        None => None,
    };
    Some(Scheduler {
        id: info.id,
        schedule: info.schedule,
        start: info.start,
        end: info.end,
        limit,
        immediately: false,
        catch_up: info.catch_up,
        name: info.name,
        data: info.data,
        options: info.options,
    })
}
