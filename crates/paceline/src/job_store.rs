//! Opens the store that a URL names: the one place that knows every engine.

use paceline_jobs::{Durability, EngineHandle, OpenError, RedisEngine, SqliteOptions};

use crate::config::{self, JobStoreUrl, Redacted};

/// A job store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CannotOpen {
    /// The engine says why.
    #[error("the job store {store} cannot be opened")]
    Engine {
        /// The store, without user and password.
        store: String,
        /// Why.
        source: OpenError,
    },
    /// The operating system refuses what a connection needs.
    #[error("the operating system refuses what a connection needs")]
    System(#[from] std::io::Error),
}

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
            let opened = SqliteOptions::new(path).durability(durability).open();
            opened
                .map(EngineHandle::from)
                .map_err(|source| failed(url, source))
        }
        JobStoreUrl::Redis(address) => Ok(open_redis(url, address)?.into()),
    }
}

/// Opens the server at `url`, whose address is `address`. Blocks.
///
/// # Errors
/// When it cannot be reached, or not be used.
pub(crate) fn open_redis(
    url: &JobStoreUrl,
    address: &Redacted<String>,
) -> Result<RedisEngine, CannotOpen> {
    // The engine has a thread of its own; this one only waits for it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let connected = runtime.block_on(RedisEngine::connect(address.expose().as_str()));
    connected.map_err(|source| failed(url, source))
}

fn failed(url: &JobStoreUrl, source: OpenError) -> CannotOpen {
    let store = url.to_string();
    CannotOpen::Engine { store, source }
}
