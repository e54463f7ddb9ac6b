use super::job_options::whole_millis;
use super::manage::outcome;
use super::read::page;
use super::reply::{Parts, text};
use super::script::{BOUNDS, BULK, CHANGE, SEARCH};
use super::store::{LIBRARY, Store};
use crate::engine::{BulkAction, BulkStep, JobChange, Search};
use crate::error::{EngineError, ManageError};
use crate::names::{JobId, QueueName};
use crate::settings::QueueSettings;
use crate::snapshot::{JobPage, Page};
use crate::state::State;

/// Jobs a search looks at.
const LOOKED_AT: usize = 2_000;

/// One bounded step of a change to many jobs.
pub(super) async fn step(
    store: &Store,
    queue: &QueueName,
    action: BulkAction,
) -> Result<BulkStep, ManageError> {
    let call = store
        .script(&BULK, queue)
        .arg(store.now().as_millis())
        .arg(store.settings.limits.bulk_step.clamp(1, 5_000));
    let call = match action {
        BulkAction::RetryFailed => call.arg("retry"),
        BulkAction::PromoteDelayed => call.arg("promote"),
        BulkAction::Drain { delayed } => call.arg("drain").arg(i32::from(delayed)),
        BulkAction::Clean {
            state: State::Active,
            ..
        } => return Err(ManageError::WrongState(State::Active)),
        BulkAction::Clean { state, older_than } => call
            .arg("clean")
            .arg(state.as_str())
            .arg(whole_millis(older_than)),
        BulkAction::Obliterate { force } => call.arg("obliterate").arg(i32::from(force)),
    };
    let mut answer = Parts::of(store.call(queue, &call).await?);
    match answer.text()?.as_str() {
        "done" => Ok(BulkStep {
            done: answer.count()?,
            more: answer.int()? == 1,
        }),
        "not paused" => Err(ManageError::NotPaused),
        "active" => Err(ManageError::HasActive(answer.count()?)),
        _ => Err(EngineError::Damaged("answer").into()),
    }
}

/// Changes a job that has not ended.
pub(super) async fn change(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
    change: JobChange,
) -> Result<(), ManageError> {
    let (what, value) = match change {
        JobChange::Priority(priority) => ("priority", priority.to_string()),
        JobChange::Delay(delay) => ("delay", whole_millis(delay).to_string()),
        JobChange::Data(data) => {
            let (size, max) = (data.get().len(), store.settings.limits.payload);
            if size > max {
                let what = "payload";
                return Err(ManageError::TooLarge { what, size, max });
            }
            ("data", data.get().to_owned())
        }
    };
    tell(store, queue, id, what, &value).await
}

/// Asks the worker of an active job to give it up.
pub(super) async fn cancel(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
) -> Result<(), ManageError> {
    tell(store, queue, id, "cancel", "").await?;
    // Workers of other processes see it with their next renewal.
    store.board.cancel(queue);
    Ok(())
}

async fn tell(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
    what: &str,
    value: &str,
) -> Result<(), ManageError> {
    let call = store
        .script(&CHANGE, queue)
        .arg(store.now().as_millis())
        .arg(what)
        .arg(id.as_str())
        .arg(value);
    outcome(text(store.call(queue, &call).await?).as_deref())
}

/// Sets a queue's bounds.
pub(super) async fn set_settings(
    store: &Store,
    queue: &QueueName,
    settings: &QueueSettings,
) -> Result<(), EngineError> {
    if settings.group_concurrency.is_some() || settings.group_rate.is_some() {
        return Err(EngineError::NoGroups);
    }
    let given = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rate = settings.rate;
    let call = store
        .script(&BOUNDS, queue)
        .arg(LIBRARY)
        .arg(given(settings.concurrency.map(|jobs| jobs.get().into())))
        .arg(given(rate.map(|rate| rate.max.get().into())))
        .arg(given(rate.map(|rate| whole_millis(rate.per).max(1))));
    store.call(queue, &call).await?;
    Ok(())
}

/// Finds jobs, newest first.
pub(super) async fn search(
    store: &Store,
    queue: &QueueName,
    search: &Search,
    which: Page,
) -> Result<JobPage, EngineError> {
    let states: &[State] = if search.states.is_empty() {
        &State::ALL
    } else {
        &search.states
    };
    let mut call = store
        .script(&SEARCH, queue)
        .arg(which.offset)
        .arg(which.limit.min(store.settings.limits.page))
        .arg(LOOKED_AT)
        .arg(search.name.as_deref().unwrap_or_default())
        .arg(search.text.as_deref().unwrap_or_default());
    for state in states {
        call.push(state.as_str());
    }
    page(store, queue, store.call(queue, &call).await?)
}
