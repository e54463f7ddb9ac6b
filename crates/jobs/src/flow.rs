//! Jobs that wait for other jobs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::engine::NewJob;
use crate::error::AddError;
use crate::names::{JobId, QueueName};
use crate::options::JobOptions;

/// What a child that failed for good means for its parent.
///
/// A child that is removed, by hand or because it is not kept, is no longer waited for. One that is retried by
/// hand is waited for again, unless the parent has gone on. A parent that runs while a child fails it (it added
/// children and does not wait yet) fails when its attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChildFailure {
    /// The parent goes on waiting: until the child is retried and completes, or is removed.
    #[default]
    ParentWaits,
    /// The parent fails too, and so do its parents if they say the same.
    FailParent,
    /// The parent is started at once, whatever its other children do.
    ContinueParent,
    /// The child counts as done; the parent sees why it failed.
    IgnoreDependency,
    /// The child counts as done and the parent does not hear of it.
    RemoveDependency,
}

/// A job and the jobs it waits for, over any queues of one engine. Added as a whole or not at all.
///
/// A job that is there already, under its id, is taken as it stands: nothing below it is added. As a child it
/// is waited for, or its result is taken over if it completed; one that another job waits for is refused, and so
/// is a job that would wait for itself. Children have no idempotency key, and no job of a flow a deduplication
/// that replaces its holder or keeps the last add.
///
/// ```
/// use paceline_jobs::{ChildFailure, Flow, JobOptions};
///
/// # fn main() -> Result<(), paceline_jobs::AddError> {
/// let careful = JobOptions::new().attempts(3).on_failure(ChildFailure::FailParent);
/// let order = Flow::new("orders", "ship", &17, JobOptions::new())?
///     .child(Flow::new("payments", "charge", &17, careful.clone())?)
///     .child(Flow::new("stock", "reserve", &17, careful)?);
/// # let _ = order;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a flow does nothing until it is added"]
pub struct Flow {
    pub(crate) queue: QueueName,
    pub(crate) job: NewJob,
    pub(crate) children: Vec<Flow>,
}

impl Flow {
    /// A job without children yet.
    ///
    /// # Errors
    /// When the queue's name cannot be used or the payload has no JSON form.
    pub fn new(
        queue: impl AsRef<str>,
        name: &str,
        payload: &impl Serialize,
        options: JobOptions,
    ) -> Result<Self, AddError> {
        let data = to_raw_value(payload).map_err(|error| AddError::Encode(Arc::new(error)))?;
        Ok(Self {
            queue: QueueName::new(queue)?,
            job: NewJob {
                name: name.to_owned(),
                data,
                options,
            },
            children: Vec::new(),
        })
    }

    /// The job waits for `child` too.
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// How many jobs the tree has.
    pub fn len(&self) -> usize {
        1 + self.children.iter().map(Self::len).sum::<usize>()
    }

    /// Never: a flow has at least its own job.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// How many levels the tree has, at least 1.
    pub fn depth(&self) -> usize {
        1 + self.children.iter().map(Self::depth).max().unwrap_or(0)
    }
}

/// A job, named by its queue and its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct JobRef {
    /// The queue.
    pub queue: QueueName,
    /// The job.
    pub id: JobId,
}

/// What adding a flow gave: the same tree, with ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedFlow {
    /// The job.
    pub job: JobRef,
    /// Whether it was there before, under its custom id; then nothing below it was added.
    pub existing: bool,
    /// Its children that were added or taken, in the order given.
    pub children: Vec<AddedFlow>,
}

/// How the children of a job stand. Kept with the job, whether the children are kept or not.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Children {
    /// Those it still waits for.
    pub pending: Vec<JobRef>,
    /// Those that completed, with what they returned.
    pub completed: Vec<(JobRef, Box<RawValue>)>,
    /// Those that failed and were ignored or let the job go on, with the reason.
    pub ignored: Vec<(JobRef, String)>,
    /// Those whose failure fails the job.
    pub failed: Vec<JobRef>,
}
