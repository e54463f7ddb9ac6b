use std::time::Duration;

use rusqlite::params;

use super::super::tx::Tx;
use super::group;
use crate::error::EngineError;
use crate::names::QueueName;
use crate::settings::{QueueSettings, StartLimit};

/// Sets a queue's bounds, creating it if it is new. A window that has begun goes on under the new bounds.
pub(in super::super) fn set_settings(
    tx: &mut Tx<'_>,
    name: &QueueName,
    mut settings: QueueSettings,
) -> Result<(), EngineError> {
    for limit in [&mut settings.rate, &mut settings.group_rate] {
        *limit = limit.map(whole_millis);
    }
    let queue = tx.queue(name)?;
    tx.row(queue).settings = settings;
    let text = if settings == QueueSettings::default() {
        None
    } else {
        let text = serde_json::to_string(&settings);
        Some(text.map_err(|_| EngineError::Damaged("queue setting"))?)
    };
    let queue_id = tx.row(queue).id;
    tx.connection
        .prepare_cached("UPDATE paceline_queues SET settings = ?2 WHERE id = ?1")?
        .execute(params![queue_id, text])?;
    group::bounds_changed(tx, queue)?;
    tx.wake(queue);
    Ok(())
}

/// As it is stored, so that what was set and what is read do not differ.
fn whole_millis(limit: StartLimit) -> StartLimit {
    let millis = u64::try_from(limit.per.as_millis()).unwrap_or(u64::MAX);
    StartLimit {
        per: Duration::from_millis(millis.max(1)),
        ..limit
    }
}
