//! Renewals, on a thread of their own: handlers that keep the runtime busy cannot hold them up.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::running::{Held, Shared};
use crate::engine::Renewal;

/// Starts the thread. It ends once the worker is gone and holds no job any more.
pub(super) fn start(shared: &Arc<Shared>) {
    let every = shared.lease / 3;
    let shared = Arc::downgrade(shared);
    std::thread::Builder::new()
        .name("jobs-renewal".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || run(&shared, every))
        .expect("the operating system gives a thread");
}

fn run(shared: &Weak<Shared>, every: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let Ok(runtime) = runtime else {
        tracing::error!("no timer for lease renewals: jobs longer than their lease will run again");
        return;
    };
    runtime.block_on(async {
        loop {
            tokio::time::sleep(every).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let held = shared.running.all();
            if held.is_empty() {
                if shared.stopping.is_cancelled() {
                    return;
                }
                continue;
            }
            // A renewal that hangs must not hold up the next one for ever.
            let _ = tokio::time::timeout(shared.lease, renew(&shared, &held)).await;
        }
    });
}

async fn renew(shared: &Shared, held: &[Held]) {
    let leases = held.iter().map(|held| held.lease.clone()).collect();
    match shared.engine.renew(leases, shared.lease).await {
        Ok(holds) => {
            for (held, stands) in held.iter().zip(holds) {
                match stands {
                    Renewal::Held => {}
                    Renewal::CancelRequested => held.cancel.cancel(),
                    Renewal::Lost => {
                        held.lost.cancel();
                        held.cancel.cancel();
                    }
                }
            }
        }
        Err(error) => {
            tracing::warn!(queue = %shared.queue, error = &error as &dyn std::error::Error, "cannot renew leases");
        }
    }
}
