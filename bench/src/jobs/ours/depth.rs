//! Adds and claims while many jobs wait.

use std::time::{Duration, Instant};

use paceline_jobs::LeaseToken;
use paceline_jobs::engine::{ClaimRequest, Ending, Finish};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::adding::{fill, one_bulk};
use super::{Task, said};
use crate::Outcome;

/// Rounds of one bulk added and as many claimed.
const ROUNDS: u32 = 30;
const STEP: u32 = 1_000;
/// Jobs in one claim.
const CLAIM: usize = 100;

/// Fills the queue to JOBS, then adds and claims by the thousand, so that the depth stays; says how many a
/// second of each.
pub(super) async fn run(task: &Task) -> Outcome<Value> {
    fill(&task.queue, task.jobs).await?;
    let (mut adding, mut claiming) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        one_bulk(&task.queue, STEP).await?;
        adding += start.elapsed();
        claiming += claim(task).await?;
    }
    let jobs = f64::from(ROUNDS * STEP);
    Ok(json!({ "add": jobs / adding.as_secs_f64(), "claim": jobs / claiming.as_secs_f64() }))
}

/// Takes STEP jobs, timed, and ends them, untimed.
async fn claim(task: &Task) -> Outcome<Duration> {
    let engine = task.queue.engine();
    let (mut took, mut taken) = (Duration::ZERO, 0);
    while taken < STEP {
        let request = ClaimRequest {
            queue: task.queue.name().clone(),
            token: LeaseToken::random(),
            max: CLAIM,
            lease_for: Duration::from_secs(30),
        };
        let start = Instant::now();
        let claimed = engine.claim(request).await.map_err(said)?;
        took += start.elapsed();
        if claimed.jobs.is_empty() {
            return Err("the queue ran empty".to_owned());
        }
        taken += u32::try_from(claimed.jobs.len()).unwrap_or(u32::MAX);
        let endings = claimed.jobs.into_iter().map(|job| Finish {
            lease: job.lease,
            ending: Ending::Completed {
                result: RawValue::NULL.to_owned(),
            },
        });
        engine.finish(endings.collect()).await.map_err(said)?;
    }
    Ok(took)
}
