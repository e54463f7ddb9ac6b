//! Schedulers go over: stored in the target first, removed from the source afterwards. Both ids are the
//! same and a slot has one job, so a move that was killed in between doubles nothing when it is run again.

use std::num::NonZeroU64;

use super::run::BATCH;
use super::{Transfer, TransferError, TransferReport};
use crate::error::AddError;
use crate::names::SchedulerId;
use crate::scheduler::{Schedule, Scheduler, SchedulerInfo};
use crate::snapshot::Page;
use crate::state::State;

impl Transfer {
    pub(super) async fn move_schedulers(
        &self,
        report: &mut TransferReport,
    ) -> Result<(), TransferError> {
        let known = self.from.schedulers(&self.queue).await;
        for info in known.map_err(TransferError::Source)? {
            let id = info.id.clone();
            let ahead = match info.limit {
                Some(_) => self.made_ahead(&id).await?,
                None => 0,
            };
            if let Some(scheduler) = rest_of(info, ahead) {
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

    /// Jobs the scheduler made for slots to come, as BullMQ does: they go with it, and the target makes them.
    async fn made_ahead(&self, id: &SchedulerId) -> Result<u64, TransferError> {
        let mut page = Page {
            offset: 0,
            limit: BATCH,
        };
        let mut ahead = 0;
        loop {
            let found = self.from.export(&self.queue, State::Delayed, page).await;
            let found = found.map_err(TransferError::Source)?;
            let its = found
                .iter()
                .filter(|job| job.scheduler.as_ref() == Some(id));
            ahead += its.count() as u64;
            if found.len() < BATCH {
                return Ok(ahead);
            }
            page.offset += found.len() as u64;
        }
    }
}

/// What is left to be made; `None` when the scheduler has made all its jobs. `ahead` are those it made that
/// go with it.
fn rest_of(info: SchedulerInfo, ahead: u64) -> Option<Scheduler> {
    let next = info.next?;
    let start = match info.schedule {
        // Slots follow the first job: the first one in the target is the one that is next in the source.
        Schedule::Every { offset: None, .. } => Some(next),
        _ => info.start,
    };
    let made = info.made.saturating_sub(ahead);
    let limit = match info.limit {
        Some(limit) => Some(NonZeroU64::new(limit.get().saturating_sub(made))?),
        None => None,
    };
    Some(Scheduler {
        id: info.id,
        schedule: info.schedule,
        start,
        end: info.end,
        limit,
        immediately: false,
        catch_up: info.catch_up,
        name: info.name,
        data: info.data,
        options: info.options,
    })
}
