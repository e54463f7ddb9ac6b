//! A connection for a place that was taken: one that lies ready and can be trusted, or a new one.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::time::{sleep, timeout_at};

use super::check::{self, Doubt};
use super::error::{AcquireError, Kind};
use super::manage::Manage;
use super::shared::{Shared, now};
use super::state::{Papers, Parked};
use super::{age, backoff};

/// The connection, before `deadline`.
pub(super) async fn connection<M: Manage>(
    shared: &Shared<M>,
    deadline: Instant,
) -> Result<Papers<M::Connection>, AcquireError> {
    let began = now();
    while let Some((mut papers, doubt)) = ready(shared) {
        let Some(doubt) = doubt else {
            return Ok(papers);
        };
        match check(shared, &mut papers.connection, doubt, deadline).await {
            Checked::Fine => return Ok(papers),
            Checked::Broken => {}
            Checked::Silent => forget_doubtful(shared),
            Checked::CutShort => return Err(failed(shared, 0, began, None)),
        }
    }
    open(shared, deadline).await
}

/// The connection used last that is neither closed nor too old, and whether it must be checked.
fn ready<M: Manage>(shared: &Shared<M>) -> Option<(Papers<M::Connection>, Option<Doubt>)> {
    let now = shared.stamp();
    loop {
        let Parked { papers, used } = shared.state().idle.pop_back()?;
        if !shared.manager.is_open(&papers.connection) {
            shared.state().counts.found_closed += 1;
        } else if age::is_over(papers.opened, papers.lifetime, now.moment) {
            shared.state().counts.retired += 1;
        } else {
            let news = shared
                .manager
                .has_news(&papers.connection)
                .then_some(Doubt::News);
            let doubt = check::doubt(used, now, shared.options.check_after_idle).or(news);
            return Some((papers, doubt));
        }
    }
}

/// What a check showed.
enum Checked {
    Fine,
    /// The server, or the kernel, says that it is no more.
    Broken,
    /// No answer in time: whatever is between us and the server swallows what we send.
    Silent,
    /// The caller has no more time; that says nothing of the others.
    CutShort,
}

async fn check<M: Manage>(
    shared: &Shared<M>,
    connection: &mut M::Connection,
    doubt: Doubt,
    deadline: Instant,
) -> Checked {
    let whole = now() + shared.options.check_timeout;
    let until = deadline.min(whole);
    let answer = timeout_at(until.into(), shared.manager.check(connection)).await;
    let mut state = shared.state();
    state.counts.checked += 1;
    state.counts.after_freeze += u64::from(doubt == Doubt::Frozen);
    let checked = match answer {
        Ok(Ok(())) => return Checked::Fine,
        Ok(Err(_)) => Checked::Broken,
        Err(_) if until < whole => return Checked::CutShort,
        Err(_) => Checked::Silent,
    };
    state.counts.failed_checks += 1;
    checked
}

/// Drops the others that would have to be checked too: one that is silent costs the whole time of a check, and they
/// lead to the same place.
fn forget_doubtful<M: Manage>(shared: &Shared<M>) {
    let now = shared.stamp();
    let mut state = shared.state();
    let (doubtful, trusted): (VecDeque<_>, _) = std::mem::take(&mut state.idle)
        .into_iter()
        .partition(|parked| {
            check::doubt(parked.used, now, shared.options.check_after_idle).is_some()
        });
    state.idle = trusted;
    drop(state);
    drop(doubtful);
}

/// Opens a connection; tries again as long as the failure may pass and the deadline allows.
async fn open<M: Manage>(
    shared: &Shared<M>,
    deadline: Instant,
) -> Result<Papers<M::Connection>, AcquireError> {
    let began = now();
    let mut attempts = 0;
    let mut last = None;
    loop {
        let until = deadline.min(now() + shared.options.connect_timeout);
        let may_pass = match timeout_at(until.into(), shared.manager.connect(until)).await {
            Ok(Ok(connection)) => {
                shared.state().counts.opened += 1;
                return Ok(Papers {
                    connection,
                    opened: shared.options.clock.now(),
                    lifetime: age::lifetime(shared.options.max_lifetime, random()),
                });
            }
            Ok(Err(error)) => {
                let may_pass = shared.manager.may_pass(&error);
                last = Some(error);
                may_pass
            }
            Err(_) => true,
        };
        shared.state().counts.failed_attempts += 1;
        let left = deadline.saturating_duration_since(now());
        let wait = backoff::wait(attempts, left, random());
        attempts += 1;
        match wait.filter(|_| may_pass) {
            Some(wait) => sleep(wait).await,
            None => return Err(failed(shared, attempts, began, last)),
        }
    }
}

/// No connection: how often it was tried since `began`, and what was wrong last.
pub(super) fn failed<M: Manage>(
    shared: &Shared<M>,
    attempts: u32,
    began: Instant,
    last: Option<M::Error>,
) -> AcquireError {
    let kind = Kind::Connect {
        attempts,
        waited: now().saturating_duration_since(began),
        source: last.map(|error| Box::new(error) as _),
    };
    AcquireError::new(kind, shared.occupancy())
}

/// Evenly in 0..1. Only spreads load: the middle will do where the system has no randomness to give.
fn random() -> f64 {
    let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}
