//! Server-sent events (the HTML standard's `text/event-stream`) that clients can resume.
//!
//! A [`Broadcaster`] numbers what is published to it and keeps the latest events in one shared ring.
//! Each client is only a position in that ring, so a slow one costs nothing and holds nobody up; its
//! [`SseBody`] is read as fast as the client reads. A client that comes back says the last [`EventId`] it
//! saw (`Last-Event-ID`) and gets what it missed, or, when that is no longer known, a `reset` event: what
//! it shows may be out of date, fetch it again. Nothing is ever skipped silently.
//!
//! ```
//! use axum::response::{IntoResponse, Response};
//! use http::HeaderMap;
//! use paceline_http::problem::Problem;
//! use paceline_http::stream::sse::{Broadcaster, EventName, Filter, Options, last_event_id};
//!
//! async fn changes(broadcaster: Broadcaster, headers: HeaderMap) -> Result<Response, Problem> {
//!     let last = last_event_id(&headers);
//!     Ok(broadcaster.subscribe(last.as_deref(), Filter::all())?.into_body().into_response())
//! }
//!
//! let broadcaster = Broadcaster::new(Options::default());
//! broadcaster.publish(&EventName::new("change")?, r#"{"table":"posts","id":7}"#)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a client gets, besides the events: at once its position (an `id` without data, which dispatches
//! nothing) and the `retry` time; a comment after 15 quiet seconds; before a stop, a `retry` of its own so
//! that clients do not come back all at the same moment.
//!
//! Not for messages to one client alone, and not durable: a restart begins a new epoch, and every client
//! that comes back is told to reset.

mod body;
mod broadcaster;
mod event;
mod filter;
mod hub;
mod id;
mod name;
mod options;
mod published;
mod refusal;
mod response;
mod ring;
mod subscription;

pub use self::body::SseBody;
pub use self::broadcaster::Broadcaster;
pub use self::event::Event;
pub use self::filter::Filter;
pub use self::id::{EventId, InvalidEventId};
pub use self::name::{EventName, InvalidEventName};
pub use self::options::{LagPolicy, Options};
pub use self::published::Published;
pub use self::refusal::{PublishError, SubscribeError};
pub use self::response::last_event_id;
pub use self::subscription::{Delivery, Reset, ResetReason, Subscription};

#[cfg(test)]
mod tests;
