//! The stores under test, by address.

use std::time::Duration;

use paceline_jobs::{EngineHandle, Retention, SqliteOptions};

/// Everything is kept, so that the ledger can be checked.
const KEEP: Retention = Retention {
    count: u32::MAX,
    age: Duration::from_hours(24),
};

/// Opens the store at `url`: `sqlite:FILE`.
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
    panic!("there is no store {url}")
}
