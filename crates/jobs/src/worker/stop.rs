//! Stopping a worker: no new jobs, grace, cancel, give back.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Worker;
use super::course::{CancelReason, REACTION};
use crate::shutdown::{Shutdown, StopDetails, Stopping};

/// How long the last endings may take to be stored.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Shutdown for Worker {
    /// Takes no new jobs and lets running ones end for `grace`; then their handlers are told to give up and
    /// dropped a second later, and their jobs are given back without an attempt. Handlers that block their
    /// thread are abandoned: their jobs run again when the lease ends or this process does. At most `grace`
    /// and three seconds.
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        Box::pin(async move {
            let began = Instant::now();
            let shared = &self.shared;
            shared.stopping.cancel();
            if grace.is_zero() {
                shared.hurry.cancel();
            }
            tokio::select! {
                () = shared.idle() => {}
                () = shared.hurry.cancelled() => {}
                () = tokio::time::sleep(grace) => {}
            }
            for attempt in shared.running.all() {
                shared.cancel(&attempt, CancelReason::Stopping);
            }
            let _ = tokio::time::timeout(REACTION * 2 + LAST_WORDS, shared.idle()).await;
            let left = shared.running.all();
            for attempt in &left {
                attempt.release();
            }
            StopDetails {
                finished: shared.finished.load(Ordering::Relaxed),
                handed_back: shared.handed_back.load(Ordering::Relaxed),
                abandoned: left.len().max(shared.slots.used()),
                took: began.elapsed(),
            }
        })
    }
}
