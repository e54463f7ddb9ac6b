//! How long each part of a request may take. Each bound lies inside the next one.

use std::time::Duration;

/// The chain of timeouts: statement < pool + query < request < function < gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The database ends a statement by itself after so long. Default 5 s.
    pub statement: Duration,
    /// How long a request may wait for a connection. Default 3 s.
    pub pool: Duration,
    /// How long a query may take, as the server counts it. Default 5 s.
    pub query: Duration,
    /// After so long the service answers 503: what the function may take, less the margin that `paceline-serverless`
    /// keeps. Default 27.8 s.
    pub request: Duration,
    /// After so long the platform ends the invocation. Whole seconds. Default 28 s: the usual 30 s outlive the 29 s that
    /// a REST API waits.
    pub function: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            statement: seconds(5),
            pool: seconds(3),
            query: seconds(5),
            request: Duration::from_millis(27_800),
            function: seconds(28),
        }
    }
}
