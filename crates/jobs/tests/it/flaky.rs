//! The real engine with a cable that can be pulled: calls fail, or are not answered, while it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use paceline_jobs::engine::{
    CancelListener, ClaimRequest, Claimed, Finish, Lease, Listener, NewJob, Operation, Renewal,
    SweepReport,
};
use paceline_jobs::{
    AddError, Added, Engine, EngineError, EngineHandle, JobId, JobPage, JobSnapshot, LeaseError,
    Limits, ManageError, Page, QueueEvents, QueueInfo, QueueName, Shutdown, State, Stopping,
    Timestamp,
};
use serde_json::value::RawValue;

/// What does not work, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) claim: AtomicBool,
    pub(crate) renew: AtomicBool,
    pub(crate) finish: AtomicBool,
    /// Renewals say that somebody wants the job to be given up.
    pub(crate) cancel: AtomicBool,
    /// Calls that were refused.
    pub(crate) refused: AtomicUsize,
    /// Finish calls that got through, and the endings in them.
    pub(crate) finishes: AtomicUsize,
    pub(crate) endings: AtomicUsize,
}

impl Faults {
    pub(crate) fn set(&self, down: bool) {
        for fault in [&self.claim, &self.renew, &self.finish] {
            fault.store(down, Ordering::SeqCst);
        }
    }

    fn refuses(&self, fault: &AtomicBool) -> bool {
        let down = fault.load(Ordering::SeqCst);
        if down {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        down
    }

    /// Waits until so many calls were refused.
    pub(crate) async fn refused(&self, calls: usize) {
        crate::workbench::until(|| self.refused.load(Ordering::SeqCst) >= calls).await;
    }
}

/// An engine behind the cable.
#[derive(Debug)]
pub(crate) struct Flaky {
    inner: EngineHandle,
    faults: Arc<Faults>,
}

impl Flaky {
    pub(crate) fn wrap(inner: &EngineHandle) -> (EngineHandle, Arc<Faults>) {
        let faults = Arc::new(Faults::default());
        let flaky = Self {
            inner: inner.clone(),
            faults: Arc::clone(&faults),
        };
        (EngineHandle::new(flaky), faults)
    }
}

fn down<'a, T: Send + 'a>() -> Operation<'a, T> {
    Box::pin(async {
        Err(EngineError::Storage(Arc::from(Box::from(
            "the cable is out",
        ))))
    })
}

impl Engine for Flaky {
    fn claim(&self, request: ClaimRequest) -> Operation<'_, Claimed> {
        if self.faults.refuses(&self.faults.claim) {
            return down();
        }
        self.inner.claim(request)
    }

    fn renew(&self, leases: Vec<Lease>, lease_for: Duration) -> Operation<'_, Vec<Renewal>> {
        if self.faults.refuses(&self.faults.renew) {
            return down();
        }
        let renewed = self.inner.renew(leases, lease_for);
        if !self.faults.cancel.load(Ordering::SeqCst) {
            return renewed;
        }
        Box::pin(async move {
            let renewed = renewed.await?;
            Ok(vec![Renewal::CancelRequested; renewed.len()])
        })
    }

    fn finish(&self, endings: Vec<Finish>) -> Operation<'_, Vec<Result<State, LeaseError>>> {
        if self.faults.refuses(&self.faults.finish) {
            return down();
        }
        self.faults.finishes.fetch_add(1, Ordering::SeqCst);
        self.faults
            .endings
            .fetch_add(endings.len(), Ordering::SeqCst);
        self.inner.finish(endings)
    }

    fn add(
        &self,
        queue: &QueueName,
        jobs: Vec<NewJob>,
        max_not_started: Option<u64>,
    ) -> Operation<'_, Vec<Added>, AddError> {
        self.inner.add(queue, jobs, max_not_started)
    }

    fn progress(&self, lease: &Lease, value: Box<RawValue>) -> Operation<'_, (), LeaseError> {
        self.inner.progress(lease, value)
    }

    fn get(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<JobSnapshot>> {
        self.inner.get(queue, id)
    }

    fn list(&self, queue: &QueueName, state: State, page: Page) -> Operation<'_, JobPage> {
        self.inner.list(queue, state, page)
    }

    fn info(&self, queue: &QueueName) -> Operation<'_, Option<QueueInfo>> {
        self.inner.info(queue)
    }

    fn queues(&self) -> Operation<'_, Vec<QueueInfo>> {
        self.inner.queues()
    }

    fn retry(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.inner.retry(queue, id)
    }

    fn promote(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.inner.promote(queue, id)
    }

    fn remove(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.inner.remove(queue, id)
    }

    fn set_paused(&self, queue: &QueueName, paused: bool) -> Operation<'_, ()> {
        self.inner.set_paused(queue, paused)
    }

    fn sweep(&self) -> Operation<'_, SweepReport> {
        self.inner.sweep()
    }

    fn listen(&self, queue: &QueueName) -> Listener {
        self.inner.listen(queue)
    }

    fn listen_cancellations(&self, queue: &QueueName) -> CancelListener {
        self.inner.listen_cancellations(queue)
    }

    fn cancel(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.inner.cancel(queue, id)
    }

    fn events(&self, queue: Option<QueueName>) -> QueueEvents {
        self.inner.events(queue)
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn limits(&self) -> &Limits {
        self.inner.limits()
    }
}

impl Shutdown for Flaky {
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        self.inner.stop(grace)
    }
}
