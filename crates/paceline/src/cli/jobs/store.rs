//! Which job store a command is about.

use std::path::Path;

use paceline_jobs::EngineHandle;

use crate::cli::{Failure, serve};
use crate::config::{Durability, JobStoreUrl};
use crate::{job_store, server};

/// What happens when the store is a file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is made.
    Created,
    /// That is a mistake.
    Refused,
}

/// The store: `--url`, else the configuration's.
pub(super) fn url(url: Option<JobStoreUrl>, config: Option<&Path>) -> Result<JobStoreUrl, Failure> {
    if let Some(url) = url {
        return Ok(url);
    }
    let usual = Path::new("paceline.toml");
    let file = match config {
        Some(file) => file,
        None if usual.exists() => usual,
        None => {
            let text = "name the job store (--url sqlite:jobs.db, --url redis://HOST:6379) or a configuration \
                        (--config FILE); there is no paceline.toml in this folder";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    let jobs = serve::load(file)?.jobs;
    let missing = || Failure::Usage(format!("{} has no [jobs]: give --url", file.display()));
    Ok(jobs.ok_or_else(missing)?.url)
}

/// Refuses a file where processes are many and gone without notice.
pub(super) fn check_on_lambda(url: &JobStoreUrl) -> Result<(), Failure> {
    match server::embedded_jobs(url) {
        Some(unfit) => Err(Failure::Usage(format!(
            "this cannot run on AWS Lambda: {unfit}"
        ))),
        None => Ok(()),
    }
}

/// Opens the store.
pub(super) fn open(url: &JobStoreUrl, missing: Missing) -> Result<EngineHandle, Failure> {
    if let JobStoreUrl::Sqlite(path) = url
        && missing == Missing::Refused
        && !path.exists()
    {
        return Err(Failure::Usage(format!(
            "there is no job store {}: check the path",
            path.display()
        )));
    }
    job_store::open(url, Durability::Full).map_err(|error| Failure::run(&error))
}
