//! Waking idle workers: a counter per queue that rises when jobs may be ready.

#[cfg(feature = "redis")]
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::names::QueueName;

/// Tells one worker that jobs may be ready. Lossless: a wake between [`Listener::reset`] and
/// [`Listener::woken`] ends the wait at once.
#[derive(Debug)]
pub struct Listener {
    receiver: watch::Receiver<u64>,
    board: Arc<WakeBoard>,
    queue: QueueName,
}

impl Listener {
    /// Forgets earlier wakes. Called before asking for jobs.
    pub fn reset(&mut self) {
        self.receiver.mark_unchanged();
    }

    /// Waits for a wake since the last reset. Bound it with a timeout.
    pub async fn woken(&mut self) {
        let _idle = Idle::enter(&self.board, &self.queue);
        if self.receiver.changed().await.is_err() {
            // The engine is gone; the caller's timeout ends the wait.
            std::future::pending::<()>().await;
        }
    }
}

/// Tells one worker of this process that jobs it holds may have been cancelled: it renews its leases then, and
/// sees [`Renewal::CancelRequested`](super::Renewal::CancelRequested).
#[derive(Debug)]
pub struct CancelListener(Option<watch::Receiver<u64>>);

impl CancelListener {
    /// One that is never told anything: cancellations are seen with the next renewal.
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Waits for a cancellation since the last one seen. Bound it with a timeout.
    pub async fn cancelled(&mut self) {
        let told = match &mut self.0 {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !told {
            std::future::pending::<()>().await;
        }
    }
}

/// Counts a worker as idle for as long as it lives.
struct Idle<'a> {
    board: &'a WakeBoard,
    queue: &'a QueueName,
}

impl<'a> Idle<'a> {
    fn enter(board: &'a WakeBoard, queue: &'a QueueName) -> Self {
        board.idle.fetch_add(1, Ordering::SeqCst);
        let first = board.with(queue, |line| {
            line.idle += 1;
            line.idle == 1
        });
        if first == Some(true) {
            (board.on_idle)();
        }
        Self { board, queue }
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.board.idle.fetch_sub(1, Ordering::SeqCst);
        self.board.with(self.queue, |line| line.idle -= 1);
    }
}

/// One queue's counter, and how many of its workers are idle.
struct Line {
    wakes: watch::Sender<u64>,
    idle: usize,
}

impl Line {
    fn wake(&self) {
        self.wakes
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

type Counters = Mutex<HashMap<QueueName, watch::Sender<u64>>>;

/// The counters of all queues that some worker listens to.
pub(crate) struct WakeBoard {
    queues: Mutex<HashMap<QueueName, Line>>,
    cancellations: Counters,
    idle: AtomicUsize,
    on_idle: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for WakeBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WakeBoard")
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

impl WakeBoard {
    /// `on_idle` is called each time the first worker of a queue goes idle.
    pub(crate) fn new(on_idle: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            queues: Mutex::default(),
            cancellations: Mutex::default(),
            idle: AtomicUsize::new(0),
            on_idle: Box::new(on_idle),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<QueueName, Line>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, queue: &QueueName, work: impl FnOnce(&mut Line) -> T) -> Option<T> {
        self.lock().get_mut(queue).map(work)
    }

    pub(crate) fn listen(self: &Arc<Self>, queue: &QueueName) -> Listener {
        let mut queues = self.lock();
        queues.retain(|_, line| line.wakes.receiver_count() > 0);
        let line = queues.entry(queue.clone()).or_insert_with(|| Line {
            wakes: watch::channel(0).0,
            idle: 0,
        });
        Listener {
            receiver: line.wakes.subscribe(),
            board: Arc::clone(self),
            queue: queue.clone(),
        }
    }

    pub(crate) fn listen_cancellations(&self, queue: &QueueName) -> CancelListener {
        CancelListener(Some(subscribe(&self.cancellations, queue)))
    }

    /// Wakes the workers of one queue.
    pub(crate) fn wake(&self, queue: &QueueName) {
        self.with(queue, |line| line.wake());
    }

    /// Tells the workers of one queue that a job was cancelled.
    pub(crate) fn cancel(&self, queue: &QueueName) {
        count(&self.cancellations, queue);
    }

    /// Wakes everybody: another process changed something.
    pub(crate) fn wake_all(&self) {
        self.lock().values().for_each(Line::wake);
    }

    /// Wakes the workers of some queues.
    #[cfg(feature = "redis")]
    pub(crate) fn wake_those(&self, which: impl Fn(&QueueName) -> bool) {
        for (_, line) in self.lock().iter().filter(|(queue, _)| which(queue)) {
            line.wake();
        }
    }

    /// The queues that have an idle worker.
    #[cfg(feature = "redis")]
    pub(crate) fn idle_queues(&self) -> BTreeSet<QueueName> {
        let queues = self.lock();
        let idle = queues.iter().filter(|(_, line)| line.idle > 0);
        idle.map(|(queue, _)| queue.clone()).collect()
    }

    /// Whether the queue has an idle worker.
    #[cfg(feature = "redis")]
    pub(crate) fn is_idle(&self, queue: &QueueName) -> bool {
        self.with(queue, |line| line.idle > 0) == Some(true)
    }

    pub(crate) fn has_idle_worker(&self) -> bool {
        self.idle.load(Ordering::SeqCst) > 0
    }
}

fn subscribe(counters: &Counters, queue: &QueueName) -> watch::Receiver<u64> {
    let mut queues = counters.lock().unwrap_or_else(PoisonError::into_inner);
    queues.retain(|_, sender| sender.receiver_count() > 0);
    let sender = queues
        .entry(queue.clone())
        .or_insert_with(|| watch::channel(0).0);
    sender.subscribe()
}

fn count(counters: &Counters, queue: &QueueName) {
    let queues = counters.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = queues.get(queue) {
        sender.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_before_the_wait_is_not_lost() {
        let board = Arc::new(WakeBoard::new(|| {}));
        let queue = QueueName::new("q").unwrap();
        let mut listener = board.listen(&queue);
        listener.reset();
        board.wake(&queue);
        listener.woken().await;
        assert!(!board.has_idle_worker());
        board.wake_all();
        listener.woken().await;
    }
}
