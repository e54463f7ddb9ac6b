//! The rounds of a transfer.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hand_over::stays;
use super::{LeftBehind, Transfer, TransferError, TransferReport};
use crate::engine::EngineHandle;
use crate::error::EngineError;
use crate::names::QueueName;
use crate::snapshot::{Page, QueueCounts};
use crate::state::State;

/// Jobs in both stores at most, while a batch goes over.
pub(super) const BATCH: usize = 500;
/// The wait between looks at a source that has nothing to give.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Transfer {
    /// Moves until the source is done with. It can be run again after any end.
    ///
    /// # Errors
    /// [`TransferError`]; what was moved before stands.
    pub async fn run(&self) -> Result<TransferReport, TransferError> {
        let source_paused = is_paused(&self.from, &self.queue).await;
        let source_paused = source_paused.map_err(TransferError::Source)?;
        let target_paused = is_paused(&self.to, &self.queue).await;
        let target_paused = target_paused.map_err(TransferError::Target)?;
        let mut interrupted = source_paused && target_paused && !self.keep_paused;
        let mut report = TransferReport {
            target_paused,
            ..TransferReport::default()
        };
        let source = self.from.set_paused(&self.queue, true).await;
        source.map_err(TransferError::Source)?;
        let began = Instant::now();
        let mut quiet_since = began;
        loop {
            // Looked at before the round: a job that ends meanwhile and waits again is found by the next one.
            let active_before = self.source_counts().await?.active;
            let before = (report.moved, report.schedulers);
            report.left = LeftBehind {
                started: report.left.started,
                ..LeftBehind::default()
            };
            self.round(&mut report).await?;
            if std::mem::take(&mut interrupted) {
                // Only now is nothing left in both stores, in whatever state the batch was.
                report.target_paused = false;
                self.pause_target(false).await?;
            }
            let counts = self.source_counts().await?;
            report.left.active = counts.active;
            report.left.flows += counts.waiting_children;
            if before != (report.moved, report.schedulers) {
                quiet_since = Instant::now();
                continue;
            }
            let active = active_before.max(counts.active) > 0;
            let waiting = active && began.elapsed() < self.wait_for_active;
            let settled = self.once || quiet_since.elapsed() >= self.settle;
            if settled && !waiting {
                return Ok(report);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Everything that is there now.
    async fn round(&self, report: &mut TransferReport) -> Result<(), TransferError> {
        for state in [State::Waiting, State::Prioritized, State::Delayed] {
            self.one_state(state, report).await?;
        }
        if self.failed {
            self.one_state(State::Failed, report).await?;
        }
        if self.schedulers {
            self.move_schedulers(report).await?;
        }
        Ok(())
    }

    async fn one_state(
        &self,
        state: State,
        report: &mut TransferReport,
    ) -> Result<(), TransferError> {
        let mut page = Page {
            offset: 0,
            limit: BATCH,
        };
        loop {
            let found = self.from.export(&self.queue, state, page).await;
            let mut batch = found.map_err(TransferError::Source)?;
            let read = batch.len();
            let now = self.from.now();
            batch.retain(|job| {
                let due = job.due_at.is_none_or(|due| due <= now);
                !stays(job, self.schedulers, due, &mut report.left)
            });
            let skipped = read - batch.len();
            let kept = self.hand_over(batch, report).await?;
            page.offset += skipped as u64 + kept;
            if read < BATCH {
                return Ok(());
            }
        }
    }

    async fn source_counts(&self) -> Result<QueueCounts, TransferError> {
        let info = self.from.info(&self.queue).await;
        let info = info.map_err(TransferError::Source)?;
        Ok(info.map(|info| info.counts).unwrap_or_default())
    }
}

async fn is_paused(engine: &EngineHandle, queue: &QueueName) -> Result<bool, EngineError> {
    let info = engine.info(queue).await?;
    Ok(info.is_some_and(|info| info.paused))
}
