//! Stopping a worker: no new jobs, grace, cancel, give back.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Worker;
use crate::shutdown::{Shutdown, StopDetails, Stopping};

/// How long handlers get to react once they are cancelled, and again once they are aborted.
const REACTION: Duration = Duration::from_secs(1);

impl Shutdown for Worker {
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        Box::pin(async move {
            let began = Instant::now();
            let shared = &self.shared;
            shared.stopping.cancel();
            if grace.is_zero() {
                shared.hurry.cancel();
            }
            tokio::select! {
                () = shared.running.empty() => {}
                () = shared.hurry.cancelled() => {}
                () = tokio::time::sleep(grace) => {}
            }
            for held in shared.running.all() {
                held.cancel.cancel();
            }
            let _ = tokio::time::timeout(REACTION, shared.running.empty()).await;
            for abort in shared
                .running
                .all()
                .into_iter()
                .filter_map(|held| held.abort)
            {
                abort.abort();
            }
            let _ = tokio::time::timeout(REACTION, shared.running.empty()).await;
            StopDetails {
                finished: shared.finished.load(Ordering::Relaxed),
                handed_back: shared.handed_back.load(Ordering::Relaxed),
                abandoned: shared.running.len(),
                took: began.elapsed(),
            }
        })
    }
}
