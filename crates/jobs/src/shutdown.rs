//! One contract for everything that runs until it is stopped.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// What a stop did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StopDetails {
    /// Jobs that ended by themselves after the stop began.
    pub finished: usize,
    /// Jobs given back unfinished; no attempt was counted.
    pub handed_back: usize,
    /// Handlers that did not react; their jobs are recovered when the lease ends.
    pub abandoned: usize,
    /// How long it took.
    pub took: Duration,
}

/// A stop under way.
pub type Stopping<'a> = Pin<Box<dyn Future<Output = StopDetails> + Send + 'a>>;

/// Something that runs until it is stopped. Dropping it unstopped leaves its work to lease recovery.
pub trait Shutdown: Send + Sync {
    /// Takes no new work, lets running work end for `grace`, then cancels the rest and gives it back.
    /// Returns in bounded time. A second call waits for nothing that the first already ended; calling
    /// it with a zero grace while the first is waiting cuts that grace short.
    fn stop(&self, grace: Duration) -> Stopping<'_>;
}
