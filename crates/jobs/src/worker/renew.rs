//! A thread that looks after the leases: renews them, and carries timeouts and cancellations through. It
//! runs no handler, so that handlers which keep the runtime busy cannot hold it up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::attempt::Attempt;
use super::course::{CancelReason, Step};
use super::ending::{Handled, ending};
use super::finish::{self, Ended};
use super::running::Shared;
use crate::engine::Renewal;
use crate::error::EngineError;
use crate::outcome::with_causes;

/// Tells the thread that a job has a step before the one it waits for.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// What it waits for; `None` while it looks.
    next: Mutex<Option<Instant>>,
    earlier: Notify,
}

impl Alarm {
    /// A job has a step at `at`.
    pub(super) fn set(&self, at: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            drop(next);
            self.earlier.notify_one();
        }
    }

    fn plan(&self, next: Option<Instant>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

/// Starts the thread. It ends once the worker holds no job any more and takes none.
pub(super) fn start(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name("jobs-leases".to_owned())
        .stack_size(512 * 1024)
        .spawn(move || run(&shared))
        .expect("the operating system gives a thread");
}

fn run(shared: &Arc<Shared>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        tracing::error!("no timer for lease renewals: jobs longer than their lease will run again");
        return;
    };
    runtime.block_on(async {
        tokio::select! {
            () = shared.done.cancelled() => {}
            () = renewals(shared) => {}
            () = courses(shared) => {}
        }
    });
}

/// Renews at its times, and at once when somebody in this process wants a job to be given up.
async fn renewals(shared: &Shared) {
    let mut cancellations = shared.engine.listen_cancellations(&shared.queue);
    loop {
        tokio::select! {
            () = tokio::time::sleep(shared.settings.lease / 3) => {}
            () = cancellations.cancelled() => {}
        }
        let mut held = shared.running.all();
        held.retain(|attempt| attempt.is_held());
        if !held.is_empty() {
            renew(shared, &held).await;
        }
    }
}

async fn renew(shared: &Shared, held: &[Arc<Attempt>]) {
    let leases = held.iter().map(|attempt| attempt.lease.clone()).collect();
    let renewed = shared.engine.renew(leases, shared.settings.lease);
    // A renewal that hangs must not hold up the next one for ever.
    let error = match tokio::time::timeout(shared.settings.lease, renewed).await {
        Ok(Ok(answers)) => {
            shared.pulse.answered();
            for (attempt, renewal) in held.iter().zip(answers) {
                match renewal {
                    Renewal::Held => {}
                    Renewal::CancelRequested => shared.cancel(attempt, CancelReason::Requested),
                    Renewal::Lost => shared.cancel(attempt, CancelReason::LeaseLost),
                }
            }
            return;
        }
        Ok(Err(EngineError::Stopped)) => return,
        Ok(Err(error)) => with_causes(&error),
        Err(_) => "it did not answer in time".to_owned(),
    };
    shared.pulse.failed(&error);
    tracing::warn!(queue = %shared.queue, error, "cannot renew leases");
}

/// Takes each attempt's steps at their times.
async fn courses(shared: &Arc<Shared>) {
    loop {
        // Whoever sets the alarm while this looks makes it look again.
        shared.alarm.plan(None);
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for attempt in shared.running.all() {
            let after = match attempt.advance(now) {
                Step::Wait(at) => at,
                Step::Cancel | Step::Abort => Some(now),
                Step::GiveUp => {
                    give_up(shared, attempt);
                    None
                }
            };
            next = next.into_iter().chain(after).min();
        }
        let earlier = shared.alarm.earlier.notified();
        shared.alarm.plan(next);
        match next {
            Some(at) => {
                tokio::select! {
                    () = earlier => {}
                    () = tokio::time::sleep_until(at.into()) => {}
                }
            }
            None => earlier.await,
        }
    }
}

/// The handler keeps its thread and never awaits. Its place stays taken; its job goes on without it: it is
/// failed after a timeout or a request, and otherwise left to its lease, which is not renewed any more.
fn give_up(shared: &Arc<Shared>, attempt: Arc<Attempt>) {
    if !attempt.end() {
        return;
    }
    let reason = attempt.reason();
    let lease = &attempt.lease;
    tracing::error!(queue = %lease.queue, job = %lease.id, ?reason, "a handler keeps its thread and does not react; going on without it");
    let handled = Handled::Aborted { runs_on: true };
    match ending(handled, reason, attempt.timeout, |_| None) {
        Some(ending) => {
            let ended = Ended {
                attempt,
                ending,
                place: None,
                at: Instant::now(),
                leaves: false,
            };
            let shared = Arc::clone(shared);
            tokio::spawn(async move { finish::tell(&shared, vec![ended]).await });
        }
        None => attempt.release(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_an_earlier_step_rings() {
        let alarm = Alarm::default();
        let now = Instant::now();
        let rings = |alarm: &Alarm| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::time::timeout(Duration::ZERO, alarm.earlier.notified())
                    .await
                    .is_ok()
            })
        };
        alarm.set(now);
        assert!(rings(&alarm), "nothing was planned");
        alarm.plan(Some(now + Duration::from_secs(5)));
        alarm.set(now + Duration::from_secs(6));
        assert!(!rings(&alarm), "later than what is waited for");
        alarm.set(now + Duration::from_secs(4));
        assert!(rings(&alarm), "earlier");
    }
}
