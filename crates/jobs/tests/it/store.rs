//! Engines under test, in folders of their own, with a clock the test moves.

use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, ClaimedJob, Ending, Finish};
use paceline_jobs::{
    EngineHandle, JobId, LeaseError, LeaseToken, ManualClock, QueueName, SqliteEngine,
    SqliteOptions, State,
};
use serde_json::value::{RawValue, to_raw_value};
use tempfile::TempDir;

/// How long leases run in these tests.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// An engine, its clock, and its folder.
pub(crate) struct Store {
    pub(crate) engine: EngineHandle,
    pub(crate) clock: ManualClock,
    pub(crate) folder: TempDir,
}

impl Store {
    /// Whether it has groups, and keeps the exact place of a job that comes back into its line.
    pub(crate) const GROUPS: bool = true;
    pub(crate) const EXACT_PLACES: bool = true;
    /// Whether the holder of a lease that ended is believed until somebody recovered the job.
    pub(crate) const LATE_WORD_COUNTS: bool = true;

    /// How many events of adds are left of ten where room is for four.
    pub(crate) const EVENTS_OF_FOUR: usize = 4;

    /// Forgets all but the newest events: the buffer did so.
    #[allow(clippy::unused_self, reason = "the store on a server has to do it")]
    pub(crate) const fn keep_few_events(&self, _: usize) {}

    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(SqliteOptions) -> SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::starting_at(1_000_000);
        // Upkeep only when a test asks for it: its timer is not the test's clock.
        let options = SqliteOptions::new(folder.path().join("jobs.db"))
            .clock(clock.clone())
            .sweep_every(Duration::from_hours(1));
        let engine = change(options).open().unwrap().into();
        Self {
            engine,
            clock,
            folder,
        }
    }

    /// An engine whose upkeep is left to the test, and which forgives one lost lease.
    pub(crate) fn by_hand() -> Self {
        let day = Duration::from_hours(24);
        Self::with(|options| options.sweep_every(day).stall_limit(1))
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Another engine on the same file, as another process would open it.
    pub(crate) fn second(&self) -> EngineHandle {
        let options =
            SqliteOptions::new(self.folder.path().join("jobs.db")).clock(self.clock.clone());
        options.open().unwrap().into()
    }
}

/// An engine on the real clock.
pub(crate) fn open() -> (EngineHandle, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = SqliteEngine::open(folder.path().join("jobs.db")).unwrap();
    (engine.into(), folder)
}

pub(crate) fn raw(value: impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(&value).unwrap()
}

/// Takes up to `max` jobs.
pub(crate) async fn claim(
    engine: &EngineHandle,
    queue: &str,
    token: &LeaseToken,
    max: usize,
) -> Vec<ClaimedJob> {
    let queue = QueueName::new(queue).unwrap();
    let request = ClaimRequest {
        queue,
        token: token.clone(),
        max,
        lease_for: LEASE,
    };
    engine.claim(request).await.unwrap().jobs
}

/// Ends one attempt.
pub(crate) async fn finish(
    engine: &EngineHandle,
    job: &ClaimedJob,
    ending: Ending,
) -> Result<State, LeaseError> {
    let finish = Finish {
        lease: job.lease.clone(),
        ending,
    };
    engine.finish(vec![finish]).await.unwrap().pop().unwrap()
}

pub(crate) fn completed() -> Ending {
    Ending::Completed {
        result: raw("done"),
    }
}

pub(crate) fn failed(retryable: bool) -> Ending {
    Ending::Failed {
        error: "it broke".to_owned(),
        retryable,
        wait: None,
    }
}

/// Takes one job.
pub(crate) async fn claim_one(engine: &EngineHandle, queue: &str) -> ClaimedJob {
    let mut jobs = claim(engine, queue, &LeaseToken::random(), 1).await;
    jobs.pop()
        .unwrap_or_else(|| panic!("{queue} has a ready job"))
}

/// Where a job stands; none when it is gone.
pub(crate) async fn state_of(engine: &EngineHandle, queue: &str, id: &JobId) -> Option<State> {
    let queue = QueueName::new(queue).unwrap();
    let found = engine.get(&queue, id).await.unwrap();
    found.map(|job| job.state)
}
