use super::reply::text;
use super::script::{MANAGE, PAUSE};
use super::store::{LIBRARY, Store};
use crate::error::{EngineError, ManageError};
use crate::names::{JobId, QueueName};
use crate::state::State;

/// Retries, promotes or removes one job by hand.
pub(super) async fn manage(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
    what: &str,
) -> Result<(), ManageError> {
    let call = store
        .script(&MANAGE, queue)
        .arg(store.now().as_millis())
        .arg(what)
        .arg(id.as_str());
    outcome(text(store.call(queue, &call).await?).as_deref())
}

/// What the scripts that change one job answer.
pub(super) fn outcome(answer: Option<&str>) -> Result<(), ManageError> {
    match answer {
        Some("done") => Ok(()),
        Some("missing") => Err(ManageError::NotFound),
        Some(other) => match (State::from_name(other), other.strip_prefix("scheduler:")) {
            (Some(state), _) => Err(ManageError::WrongState(state)),
            (None, Some(scheduler)) => Err(ManageError::BelongsToScheduler(scheduler.to_owned())),
            (None, None) => Err(EngineError::Damaged("answer").into()),
        },
        None => Err(EngineError::Damaged("answer").into()),
    }
}

/// Pauses or resumes a queue.
pub(super) async fn set_paused(
    store: &Store,
    queue: &QueueName,
    paused: bool,
) -> Result<(), EngineError> {
    let call = store
        .script(&PAUSE, queue)
        .arg(i32::from(paused))
        .arg(LIBRARY);
    store.call(queue, &call).await?;
    Ok(())
}
