//! What a broadcaster can refuse.

use std::fmt;
use std::time::Duration;

use crate::problem::Problem;

/// Why there is no subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// There are as many clients as may be.
    Full {
        /// How many that is.
        max_clients: usize,
    },
    /// The broadcaster is draining.
    Draining,
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { max_clients } => write!(f, "all {max_clients} streams are taken"),
            Self::Draining => f.write_str("the stream is closing"),
        }
    }
}

impl std::error::Error for SubscribeError {}

/// 503, code `too-many-streams` or `unavailable`.
impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Full { .. } => Self::unavailable(
                Duration::from_secs(30),
                "All streams are taken. Try again later.",
            )
            .with_code("too-many-streams"),
            SubscribeError::Draining => Self::unavailable(
                Duration::from_secs(5),
                "The server is stopping. Try again soon.",
            ),
        }
    }
}

/// Why an event was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The event alone is larger than the buffer.
    TooLarge {
        /// The bytes the buffer may take.
        buffer_bytes: usize,
    },
    /// The broadcaster is draining; nobody would get the event.
    Draining,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { buffer_bytes } => {
                write!(
                    f,
                    "the event is larger than the buffer of {buffer_bytes} bytes"
                )
            }
            Self::Draining => f.write_str("the stream is closing"),
        }
    }
}

impl std::error::Error for PublishError {}
