//! Opens the store that a URL names: the one place that knows every engine.

use paceline_jobs::{Durability, EngineHandle, OpenError, SqliteOptions};

use crate::config::{self, JobStoreUrl};

/// Opens the store at `url`. `durability` is about files; a Redis server has its own setting. Blocks.
///
/// # Errors
/// When it cannot be opened or reached.
pub(crate) fn open(
    url: &JobStoreUrl,
    durability: config::Durability,
) -> Result<EngineHandle, CannotOpen> {
    match url {
        JobStoreUrl::Sqlite(path) => {
            let durability = match durability {
                config::Durability::Full => Durability::Full,
                config::Durability::Normal => Durability::Normal,
            };
            let engine = SqliteOptions::new(path).durability(durability).open()?;
            Ok(engine.into())
        }
        JobStoreUrl::Redis(_) => Err(CannotOpen::NoRedis),
    }
}

/// A job store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CannotOpen {
    /// The engine says why.
    #[error("the job store cannot be opened")]
    Engine(#[from] OpenError),
    /// This program has no Redis engine.
    #[error("this program is built without the Redis engine: use sqlite:FILE")]
    NoRedis,
}
