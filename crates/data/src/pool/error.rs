//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::statistics::Occupancy;

type Source = Box<dyn Error + Send + Sync>;

/// No connection within the deadline. For a client this is a 503: [`AcquireError::retry_after`] says when there may
/// be one.
#[derive(Debug)]
pub struct AcquireError {
    kind: Kind,
    occupancy: Occupancy,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// All were in use until the deadline; who comes now waits about as long as the estimate says.
    Exhausted {
        waited: Duration,
        estimate: Option<Duration>,
    },
    /// All are in use, and the queue would take longer than the deadline allows.
    Hopeless { estimate: Duration, left: Duration },
    /// As many wait as may.
    QueueFull { estimate: Option<Duration> },
    /// There was a place, but no connection could be opened.
    Connect {
        attempts: u32,
        waited: Duration,
        source: Option<Source>,
    },
    /// The deadline was over when the call was made.
    Late,
    /// The pool was closed.
    Closed,
}

impl AcquireError {
    pub(super) fn new(kind: Kind, occupancy: Occupancy) -> Self {
        Self { kind, occupancy }
    }

    /// Whether all connections were in use: the pool is too small, or they are held too long.
    pub fn is_exhausted(&self) -> bool {
        matches!(
            self.kind,
            Kind::Exhausted { .. } | Kind::Hopeless { .. } | Kind::QueueFull { .. }
        )
    }

    /// Whether the call was refused without waiting, because waiting was hopeless.
    pub fn is_shed(&self) -> bool {
        matches!(self.kind, Kind::Hopeless { .. } | Kind::QueueFull { .. })
    }

    /// Whether the database could not be reached, or refused the connection; the source says why.
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Connect { .. })
    }

    /// Whether the pool was closed.
    pub fn is_closed(&self) -> bool {
        matches!(self.kind, Kind::Closed)
    }

    /// How busy the pool was.
    pub fn occupancy(&self) -> Occupancy {
        self.occupancy
    }

    /// After how long another try makes sense: when those who wait are through, as far as can be told; at least a
    /// second, as `Retry-After` counts, and at most thirty.
    pub fn retry_after(&self) -> Duration {
        let estimate = match self.kind {
            Kind::Hopeless { estimate, .. } => estimate,
            Kind::Exhausted { estimate, .. } | Kind::QueueFull { estimate } => {
                estimate.unwrap_or_default()
            }
            _ => Duration::ZERO,
        };
        estimate.clamp(Duration::from_secs(1), Duration::from_secs(30))
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, occupancy } = self;
        match kind {
            Kind::Exhausted { waited, .. } => {
                write!(
                    f,
                    "no database connection became free within {}: {occupancy}",
                    Seconds(*waited)
                )
            }
            Kind::Hopeless { estimate, left } => write!(
                f,
                "waiting for a database connection would take about {}, and {} are left: {occupancy}",
                Seconds(*estimate),
                Seconds(*left)
            ),
            Kind::QueueFull { .. } => {
                write!(
                    f,
                    "too many callers wait for a database connection: {occupancy}"
                )
            }
            Kind::Connect {
                attempts, waited, ..
            } => {
                let times = match attempts {
                    0 => "not answered".to_owned(),
                    1 => "1 attempt".to_owned(),
                    several => format!("{several} attempts"),
                };
                write!(
                    f,
                    "no connection to the database within {} ({times})",
                    Seconds(*waited)
                )
            }
            Kind::Late => {
                f.write_str("the deadline was over before a database connection was asked for")
            }
            Kind::Closed => {
                f.write_str("the connections to the database are closed: the process is stopping")
            }
        }
    }
}

impl Error for AcquireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Connect { source, .. } => source.as_deref().map(|source| source as _),
            _ => None,
        }
    }
}

/// A duration as people read it: milliseconds below a second.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(f, "{} ms", self.0.as_millis())
        } else {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Occupancy = Occupancy {
        size: 2,
        in_use: 2,
        idle: 0,
        waiting: 3,
        longest_held: Some(Duration::from_millis(4200)),
    };

    #[test]
    fn the_message_names_what_the_operator_needs() {
        let message = |kind| AcquireError::new(kind, BUSY).to_string();
        let (short, long) = (Duration::from_millis(250), Duration::from_secs(5));
        assert_eq!(
            message(Kind::Exhausted {
                waited: long,
                estimate: None
            }),
            "no database connection became free within 5.0 s: pool size 2, in use 2, waiting 3, longest held 4.2 s"
        );
        assert_eq!(
            message(Kind::Hopeless {
                estimate: long,
                left: short
            }),
            "waiting for a database connection would take about 5.0 s, and 250 ms are left: \
             pool size 2, in use 2, waiting 3, longest held 4.2 s"
        );
        let connect = |attempts| Kind::Connect {
            attempts,
            waited: short,
            source: None,
        };
        assert!(message(connect(1)).ends_with("within 250 ms (1 attempt)"));
        assert!(message(connect(3)).ends_with("(3 attempts)"));
    }

    #[test]
    fn retry_after_is_whole_seconds_within_reason() {
        for (estimate, expected) in [(10, 1_000), (2_500, 2_500), (100_000, 30_000)] {
            let estimate = Duration::from_millis(estimate);
            let error = AcquireError::new(
                Kind::Hopeless {
                    estimate,
                    left: Duration::ZERO,
                },
                BUSY,
            );
            assert_eq!(error.retry_after(), Duration::from_millis(expected));
            assert!(error.is_shed() && error.is_exhausted() && !error.is_connect());
        }
    }
}
