//! The stores under test, by address.

use std::time::Duration;

use paceline_jobs::{EngineHandle, Retention, SqliteOptions};

/// Everything is kept, so that the ledger can be checked.
const KEEP: Retention = Retention {
    count: u32::MAX,
    age: Duration::from_hours(24),
};

/// Opens the store at `url`: `sqlite:FILE`, or `redis://...` once the server is there.
#[cfg_attr(
    not(feature = "redis"),
    allow(clippy::unused_async, reason = "only a server is waited for")
)]
pub(crate) async fn open(url: &str) -> EngineHandle {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return SqliteOptions::new(path)
            .keep_completed(KEEP)
            .keep_failed(KEEP)
            .stall_limit(1_000)
            .sweep_every(Duration::from_millis(100))
            .open()
            .unwrap()
            .into();
    }
    #[cfg(feature = "redis")]
    if url.starts_with("redis://") {
        return redis(url).await;
    }
    panic!("there is no store {url}")
}

#[cfg(feature = "redis")]
async fn redis(url: &str) -> EngineHandle {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let options = paceline_jobs::RedisOptions::new(url)
            .keep_completed(KEEP)
            .keep_failed(KEEP)
            .stall_limit(1_000)
            .deadline(Duration::from_secs(1))
            .sweep_every(Duration::from_millis(100));
        match options.connect().await {
            Ok(engine) => return engine.into(),
            Err(error) => assert!(std::time::Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
