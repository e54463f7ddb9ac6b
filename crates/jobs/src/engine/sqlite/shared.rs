use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::process::ProcessIdentity;
use crate::clock::Clock;
use crate::engine::WakeBoard;
use crate::events::EventSender;
use crate::limits::Limits;
use crate::retention::Retention;

/// What the engine's threads and its handle have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) keep_completed: Retention,
    pub(super) keep_failed: Retention,
    pub(super) stall_limit: u32,
    pub(super) busy_bound: Duration,
    pub(super) sweep_every: Duration,
    /// This process, and its row in the store.
    pub(super) identity: ProcessIdentity,
    pub(super) process: i64,
    pub(super) events: EventSender,
    pub(super) board: Arc<WakeBoard>,
}
