//! The stream as clients see it.

mod body;
mod broadcaster;
pub(super) mod client;
mod resume;

use std::num::NonZeroUsize;

use super::{Broadcaster, EventName, Options};

/// A broadcaster of epoch 7 that keeps this many events.
fn broadcaster(buffer_events: usize) -> Broadcaster {
    let events = NonZeroUsize::new(buffer_events).unwrap();
    Broadcaster::with_epoch(Options::default().with_buffer_events(events), 7)
}

fn name(text: &str) -> EventName {
    EventName::new(text).unwrap()
}
