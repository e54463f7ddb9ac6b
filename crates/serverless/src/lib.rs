//! Any tower service on AWS Lambda, and the same binary on a server.
//!
//! [`run`] finds out [where](Place) the process is. On a server, and behind the Lambda Web Adapter, it listens. On AWS
//! Lambda it asks the Runtime API for events and answers them: requests of REST APIs, HTTP APIs, function URLs and load
//! balancers, whole or as streams; warm-ups; schedules. On managed instances it does so several times at once.
//!
//! A request carries, as extensions: its [`Deadline`], its [`Invocation`], the [`ClientAddress`] and the
//! [`RequestContext`].
//!
//! What holds whatever a service does:
//!
//! - a panic is a 500 and the environment goes on (build with `panic = "unwind"`, which is the default);
//! - a request that is not answered in time is given up and answered 503 with `Retry-After`, before the platform ends it;
//! - a streamed answer that fails is cut off, and nothing is written into it;
//! - an answer that is too large for a whole one is answered 413, naming the limit and the way out.
//!
//! # Time, in a process that is frozen
//!
//! Between events the process does not run, and what was to be done by then is late, all at once. So nothing here waits
//! between events but for the next one. A deadline is counted from the arrival of its event. A service should keep to the
//! same: no intervals, no reapers; ages and windows are compared with a clock when they are asked for. A monotonic clock may
//! stand still while the process is frozen, so what must be over after a day of that (tokens, cached answers of
//! others) is better compared with the wall clock too.
//!
//! # When not to use it
//!
//! A server that is never frozen needs none of this: let it listen by itself. Binary events (WebSocket APIs, VPC Lattice) are
//! not served.

mod body;
mod deadline;
mod error;
mod event;
mod invocation;
mod on_schedule;
mod panic;
mod place;
mod plain;
mod response;
mod runtime;
mod serverless;
mod signal;
mod warm_up;

pub use body::Body;
pub use deadline::Deadline;
pub use error::{RunError, report_failed_start};
pub use event::StagePrefix;
pub use invocation::{ClientAddress, Invocation, RequestContext};
pub use on_schedule::Scheduled;
pub use place::{Initialization, Lambda, Place, STREAMING, Server, UnknownPlace, VARIABLE};
pub use runtime::{RuntimeApiError, SnapStart};
pub use serverless::{Serverless, run};
pub use warm_up::{Counters, Counts, WarmUp};

/// The examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/lambda.md")]
mod guide {}

/// Any error, of a service or of a hook.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
