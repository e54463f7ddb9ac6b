//! A thread of the engine's own for its connections: handlers that keep the program's runtime busy hold up
//! neither renewals nor reports, and the engine outlives the runtime it was made on.

use std::future::Future;
use std::pin::Pin;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::Operation;
use crate::error::EngineError;

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct IoThread {
    handle: Handle,
    ends: CancellationToken,
    operations: TaskTracker,
}

impl IoThread {
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let ends = CancellationToken::new();
        let end = ends.clone();
        thread::Builder::new()
            .name("jobs-redis".to_owned())
            .spawn(move || runtime.block_on(end.cancelled()))?;
        Ok(Self {
            handle,
            ends,
            operations: TaskTracker::new(),
        })
    }

    /// Starts `task`; it ends with the thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(task));
    }

    /// Does `work` on the thread. Dropping the future does not stop it: what was begun is seen through.
    pub(super) fn run<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Operation<'static, T, E>
    where
        T: Send + 'static,
        E: From<EngineError> + Send + 'static,
    {
        let handle = self.handle.clone();
        let under_way = self.operations.token();
        let (answer, mut answered) = oneshot::channel();
        // One type of task for all operations: a task of its own costs each three kilobytes of code.
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let _ = answer.send(work.await);
            drop(under_way);
        });
        Box::pin(async move {
            match handle.spawn(task).await {
                Ok(()) => answered
                    .try_recv()
                    .unwrap_or_else(|_| Err(EngineError::Internal.into())),
                Err(error) if error.is_panic() => Err(EngineError::Internal.into()),
                Err(_) => Err(EngineError::Stopped.into()),
            }
        })
    }

    /// Waits for the operations under way; call it once no further ones are begun.
    pub(super) async fn idle(&self) {
        self.operations.close();
        self.operations.wait().await;
    }

    pub(super) fn end(&self) {
        self.ends.cancel();
    }
}

impl Drop for IoThread {
    fn drop(&mut self) {
        self.end();
    }
}
