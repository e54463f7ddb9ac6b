//! Waking idle workers: a counter per queue that rises when jobs may be ready.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::names::QueueName;

/// Tells one worker that jobs may be ready. Lossless: a wake between [`Listener::reset`] and
/// [`Listener::woken`] ends the wait at once.
#[derive(Debug)]
pub struct Listener {
    receiver: watch::Receiver<u64>,
    board: Arc<WakeBoard>,
}

impl Listener {
    /// Forgets earlier wakes. Called before asking for jobs.
    pub fn reset(&mut self) {
        self.receiver.mark_unchanged();
    }

    /// Waits for a wake since the last reset. Bound it with a timeout.
    pub async fn woken(&mut self) {
        let _idle = Idle::enter(&self.board);
        if self.receiver.changed().await.is_err() {
            // The engine is gone; the caller's timeout ends the wait.
            std::future::pending::<()>().await;
        }
    }
}

/// Counts a worker as idle for as long as it lives.
struct Idle<'a>(&'a WakeBoard);

impl<'a> Idle<'a> {
    fn enter(board: &'a WakeBoard) -> Self {
        if board.idle.fetch_add(1, Ordering::SeqCst) == 0 {
            (board.on_idle)();
        }
        Self(board)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.idle.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The counters of all queues that some worker listens to.
pub(crate) struct WakeBoard {
    queues: Mutex<HashMap<QueueName, watch::Sender<u64>>>,
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
    /// `on_idle` is called when the first worker goes idle.
    pub(crate) fn new(on_idle: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            queues: Mutex::default(),
            idle: AtomicUsize::new(0),
            on_idle: Box::new(on_idle),
        }
    }

    pub(crate) fn listen(self: &Arc<Self>, queue: &QueueName) -> Listener {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|_, sender| sender.receiver_count() > 0);
        let sender = queues
            .entry(queue.clone())
            .or_insert_with(|| watch::channel(0).0);
        Listener {
            receiver: sender.subscribe(),
            board: Arc::clone(self),
        }
    }

    /// Wakes the workers of one queue.
    pub(crate) fn wake(&self, queue: &QueueName) {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = queues.get(queue) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Wakes everybody: another process changed something.
    pub(crate) fn wake_all(&self) {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in queues.values() {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    pub(crate) fn has_idle_worker(&self) -> bool {
        self.idle.load(Ordering::SeqCst) > 0
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
