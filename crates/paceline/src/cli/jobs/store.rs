//! Which job store a command is about.

use std::path::{Path, PathBuf};

use paceline_jobs::{EngineHandle, SqliteEngine};

use crate::cli::{Failure, serve};
use crate::config::DatabaseUrl;

/// The file of the store: `--url`, else the configuration's.
pub(super) fn path(url: Option<&str>, config: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(url) = url {
        let url: DatabaseUrl = url
            .parse()
            .map_err(|error| Failure::Usage(format!("--url: {error}")))?;
        return Ok(url.path().to_owned());
    }
    let usual = Path::new("paceline.toml");
    let file = match config {
        Some(file) => file,
        None if usual.exists() => usual,
        None => {
            let text = "name the job store (--url sqlite:jobs.db) or a configuration (--config FILE); \
                        there is no paceline.toml in this folder";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    let jobs = serve::load(file)?.jobs;
    let missing = || Failure::Usage(format!("{} has no [jobs]: give --url", file.display()));
    Ok(jobs.ok_or_else(missing)?.url.path().to_owned())
}

/// Opens the store. Only adding makes a file that is not there.
pub(super) fn open(path: &Path, may_create: bool) -> Result<EngineHandle, Failure> {
    if !may_create && !path.exists() {
        return Err(Failure::Usage(format!(
            "there is no job store {}: check the path",
            path.display()
        )));
    }
    SqliteEngine::open(path)
        .map(EngineHandle::from)
        .map_err(|error| Failure::run(&error))
}
