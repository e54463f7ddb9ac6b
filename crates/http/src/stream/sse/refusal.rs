//! What a broadcaster can refuse.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;

use super::Event;
use super::response::event_stream;
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

impl SubscribeError {
    /// After how long it is worth to try again.
    pub fn retry(self) -> Duration {
        match self {
            Self::Full { .. } => Duration::from_secs(30),
            Self::Draining => Duration::from_secs(5),
        }
    }

    /// A 200 whose stream ends at once and says when to come back.
    ///
    /// For routes that browsers read: an `EventSource` gives up for good on any other status, so the 503 of
    /// the [`Problem`] would end its stream with the server's restart. Programs are better served by that.
    pub fn into_event_stream(self) -> http::Response<Full<Bytes>> {
        let retry = Event::new().with_retry(self.retry());
        event_stream(Full::new(retry.to_bytes()))
    }
}

/// 503, code `too-many-streams` or `unavailable`.
impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        let retry = error.retry();
        match error {
            SubscribeError::Full { .. } => {
                Self::unavailable(retry, "All streams are taken. Try again later.")
                    .with_code("too-many-streams")
            }
            SubscribeError::Draining => {
                Self::unavailable(retry, "The server is stopping. Try again soon.")
            }
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
