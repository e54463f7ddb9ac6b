//! What is refused before an engine is asked: the same for every engine.

use super::NewJob;
use crate::error::AddError;
use crate::limits::Limits;

/// Refuses too many jobs, and too large ones.
pub(crate) fn check_jobs(jobs: &[NewJob], limits: &Limits) -> Result<(), AddError> {
    if jobs.len() > limits.bulk {
        return Err(AddError::TooMany {
            count: jobs.len(),
            max: limits.bulk,
        });
    }
    jobs.iter().try_for_each(|job| check_job(job, limits))
}

/// Refuses a job that is too large.
pub(crate) fn check_job(job: &NewJob, limits: &Limits) -> Result<(), AddError> {
    let key = job.options.idempotency.as_ref();
    for (what, size, max) in [
        ("payload", job.data.get().len(), limits.payload),
        ("job name", job.name.len(), 255),
        ("idempotency key", key.map_or(0, |key| key.key.len()), 255),
    ] {
        if size > max {
            return Err(AddError::TooLarge { what, size, max });
        }
    }
    Ok(())
}
