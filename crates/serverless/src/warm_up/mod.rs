//! Warm-ups: invocations that only keep the environment, and what it holds open, from going cold.
//!
//! They are told apart by the top level of the event, before any work, and answered
//! `{"statusCode":200,"body":"warm"}`. Only what is surely a warm-up counts: a schedule whose name does not say so
//! is a job of somebody's, and goes to [`on_schedule`](crate::Serverless::on_schedule).
//!
//! One warm-up reaches one environment. It does not make more of them, which provisioned concurrency does; what it is good
//! for is the connection to the database, so give it something to ping.

mod count;
mod recognise;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::BoxError;
use crate::panic::caught;

pub(crate) use self::count::Kind;
pub use self::count::{Counters, Counts};
#[cfg(test)]
pub(crate) use self::recognise::Sender;
pub(crate) use self::recognise::{Matching, Recognised};

/// The answer to a warm-up.
pub(crate) const REPLY: &str = r#"{"statusCode":200,"body":"warm"}"#;

/// How long a ping may take, unless something else is said.
const PING: Duration = Duration::from_secs(1);

type Pinging = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
type Ping = Arc<dyn Fn() -> Pinging + Send + Sync>;

/// What counts as a warm-up, and what it does.
///
/// ```
/// use std::time::Duration;
/// use paceline_serverless::WarmUp;
///
/// let warm_up = WarmUp::new()
///     .schedules_named("keep-warm")
///     .ping(Duration::from_millis(500), || async {
///         // A query that touches nothing, on the connection that requests use.
///         Ok(())
///     });
/// # let _ = warm_up;
/// ```
#[derive(Clone)]
#[must_use]
pub struct WarmUp {
    pub(crate) matching: Matching,
    bound: Duration,
    ping: Option<Ping>,
}

impl WarmUp {
    /// Schedules whose name contains `keep-warm`, the two npm conventions, and ours; nothing is pinged.
    pub fn new() -> Self {
        Self {
            matching: Matching::default(),
            bound: PING,
            ping: None,
        }
    }

    /// Nothing is a warm-up.
    pub fn off() -> Self {
        let mut off = Self::new();
        off.matching = Matching::nothing();
        off
    }

    /// Schedules whose name contains `part` are warm-ups, instead of `keep-warm`. Empty: no schedule is.
    pub fn schedules_named(mut self, part: impl Into<String>) -> Self {
        self.matching = self.matching.schedules_named(part);
        self
    }

    /// What a warm-up does, for at most `bound`. What it returns or how it fails is logged, and the warm-up is answered all
    /// the same: one that fails would be sent again, twice.
    pub fn ping<F, R>(mut self, bound: Duration, ping: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.bound = bound;
        self.ping = Some(Arc::new(move || Box::pin(ping())));
        self
    }

    /// Pings, within the bound. Whether it succeeded; true where there is nothing to ping.
    pub(crate) async fn run(&self) -> bool {
        let Some(ping) = &self.ping else { return true };
        let pinging = caught(async { ping().await });
        match tokio::time::timeout(self.bound, pinging).await {
            Ok(Ok(Ok(()))) => true,
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "the ping of a warm-up failed");
                false
            }
            Ok(Err(panicked)) => {
                tracing::warn!(%panicked, "the ping of a warm-up panicked");
                false
            }
            Err(_) => {
                tracing::warn!(bound = ?self.bound, "the ping of a warm-up took too long and was given up");
                false
            }
        }
    }
}

impl Default for WarmUp {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarmUp")
            .field("matching", &self.matching)
            .field("bound", &self.bound)
            .field("pings", &self.ping.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_is_what_callers_expect() {
        let reply: serde_json::Value = serde_json::from_str(REPLY).expect("JSON");
        assert_eq!(
            reply,
            serde_json::json!({"statusCode": 200, "body": "warm"})
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_ping_holds_a_warm_up_or_ends_it() {
        let bound = Duration::from_millis(100);
        assert!(WarmUp::new().run().await);
        assert!(WarmUp::new().ping(bound, || async { Ok(()) }).run().await);
        let failing = || async { Err("no route to the database".into()) };
        assert!(!WarmUp::new().ping(bound, failing).run().await);
        let panicking = WarmUp::new().ping(bound, || async { panic!("a bug") });
        assert!(!panicking.run().await);
        let before = tokio::time::Instant::now();
        let hanging = WarmUp::new().ping(bound, std::future::pending);
        assert!(!hanging.run().await);
        assert_eq!(before.elapsed(), bound);
    }
}
