//! Operations that both sides can do, as data. Jobs are called by labels; each side knows its own ids.

use std::collections::HashMap;

use serde_json::Value;

/// Minutes: long enough that the seconds of a test round away.
pub(super) type Minutes = u64;

/// How a job is to be run. What is not said is said alike by both sides: see `theirs` and `ours`.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) delay: Minutes,
    pub(super) priority: u32,
    pub(super) lifo: bool,
    /// 0 is 1.
    pub(super) attempts: u32,
    /// Exponential, from so many minutes.
    pub(super) backoff: Option<Minutes>,
    pub(super) id: Option<&'static str>,
    pub(super) deduplication: Option<Deduplication>,
    /// `failParentOnFailure` and so on.
    pub(super) on_failure: Option<OnFailure>,
    /// Removed as soon as it has completed or failed.
    pub(super) removed: bool,
    /// So many finished jobs stay.
    pub(super) kept: Option<u32>,
}

/// One deduplication id and how it works.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deduplication {
    pub(super) id: &'static str,
    pub(super) ttl: Option<Minutes>,
    pub(super) extend: bool,
    pub(super) replace: bool,
    pub(super) keep_last_if_active: bool,
}

/// BullMQ's four options for the parent of a failed child.
#[derive(Debug, Clone, Copy)]
pub(super) enum OnFailure {
    Fail,
    Continue,
    Ignore,
    Remove,
}

/// A tree of jobs.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) label: &'static str,
    pub(super) options: Options,
    pub(super) children: Vec<Tree>,
}

/// One step of a scenario.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Add(&'static str, Options),
    Bulk(Vec<(&'static str, Options)>),
    /// The root lies in the scenario's queue, all others in its second one.
    Flow(Tree),
    /// A worker takes the next job, of the second queue if told so. Both sides must take the same.
    Take {
        children: bool,
    },
    Complete(&'static str, Value),
    Fail(&'static str, &'static str),
    FailForGood(&'static str, &'static str),
    /// The same of a child whose parents fail with it; on their side workers then take these parents.
    FailWithParents(&'static str, &'static str),
    Postpone(&'static str, Minutes),
    HandBack(&'static str),
    /// The worker's lock goes, as it does when its time is over.
    LoseLease(&'static str),
    /// One look for jobs whose lock is gone.
    Sweep,
    Report(&'static str, Value),
    Log(&'static str, &'static str),
    Pause,
    Resume,
    Retry(&'static str),
    Promote(&'static str),
    Remove(&'static str),
    RetryAll,
    PromoteAll,
    Drain {
        delayed: bool,
    },
    CleanCompleted,
    Obliterate,
    Priority(&'static str, u32),
    Delay(&'static str, Minutes),
    Data(&'static str, Value),
    /// Stores a scheduler with this distance.
    Upsert(&'static str, Minutes),
    /// The same; its jobs have this priority.
    UpsertPriority(&'static str, Minutes, u32),
    RemoveScheduler(&'static str),
    Concurrency(Option<u32>),
    Rate(u32),
}

/// The ids of one side.
#[derive(Debug, Default)]
pub(super) struct Labels {
    ids: HashMap<&'static str, String>,
    /// In which queue each lies.
    queues: HashMap<&'static str, String>,
}

impl Labels {
    /// What a job that was taken is called: the job of a scheduler has no name until then.
    pub(super) fn taken(&mut self, queue: &str, id: String) -> &'static str {
        if let Some(label) = self.of(&id) {
            return label;
        }
        self.set("iteration", queue, id);
        "iteration"
    }

    /// Calls a job that came to be without an add of its own.
    pub(super) fn set_kept(&mut self, queue: &str, id: String) {
        if self.of(&id).is_none() {
            self.set("kept", queue, id);
        }
    }

    pub(super) fn set(&mut self, label: &'static str, queue: &str, id: String) {
        self.queues.insert(label, queue.to_owned());
        self.ids.insert(label, id);
    }

    pub(super) fn id(&self, label: &str) -> &str {
        self.ids
            .get(label)
            .unwrap_or_else(|| panic!("no job is called {label}"))
    }

    pub(super) fn queue(&self, label: &str) -> &str {
        &self.queues[label]
    }

    /// What the job with this id is called; scheduler iterations have no label.
    pub(super) fn of(&self, id: &str) -> Option<&'static str> {
        self.ids
            .iter()
            .find(|(_, found)| *found == id)
            .map(|(label, _)| *label)
    }
}

/// What an operation answered, told in labels.
pub(super) type Answer = Result<String, String>;
