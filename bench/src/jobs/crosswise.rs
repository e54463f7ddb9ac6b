//! One adds, another works off: all that work on Redis share one queue there, and no job may be left.

use super::contender::{Contender, Fresh, Store};
use super::{SECONDS, number};
use crate::Outcome;
use crate::results::Results;

/// Jobs of each pair.
const JOBS: u32 = 1_000;

/// Every pair, each on a fresh Redis.
pub(super) fn check(contenders: &[&Contender], results: &mut Results) -> Outcome<()> {
    let on_redis: Vec<&Contender> = contenders
        .iter()
        .copied()
        .filter(|it| it.store == Store::Redis)
        .collect();
    for producer in &on_redis {
        for worker in on_redis.iter().filter(|it| it.name != producer.name) {
            let fresh = Fresh::new(Store::Redis)?;
            producer.run_on(&fresh, "add-bulk", (JOBS, SECONDS, 1))?;
            let line = worker.run_on(&fresh, "work", (JOBS, SECONDS, 32))?;
            let done = number(&line, "jobs")?;
            let pair = format!("{} adds, {} works", producer.name, worker.name);
            results.figure(&format!("jobs, {pair}, done of 1,000"), done);
            if done < f64::from(JOBS) {
                return Err(format!("{pair}: {done} of {JOBS} were done"));
            }
        }
    }
    Ok(())
}
