//! One client's position in the ring.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use smallvec::SmallVec;

use super::hub::{Hub, State};
use super::{EventId, Filter, LagPolicy, Options, Published, SseBody, SubscribeError};

/// Why a client must fetch anew what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResetReason {
    /// Its last id is of another epoch: the server restarted, or it is another server.
    Epoch,
    /// Events after its last id have left the ring.
    Gap,
    /// It read so slowly that events it had not seen left the ring.
    Lagged,
    /// Its last id is none this broadcaster has given out.
    UnknownId,
}

impl ResetReason {
    /// The reason as clients read it, in the data of the `reset` event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Gap => "gap",
            Self::Lagged => "lagged",
            Self::UnknownId => "unknown-id",
        }
    }
}

/// The client has missed events that cannot be told any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset {
    /// The last event before the next one to come: whoever fetches now misses none after it.
    pub id: EventId,
    /// Why.
    pub reason: ResetReason,
}

/// What a subscription yields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Delivery {
    /// The next event.
    Event(Published),
    /// Events were missed; the stream goes on after `id`.
    Reset(Reset),
}

/// Events read at once, the usual few without an allocation.
pub(super) type Batch = SmallVec<[Published; 4]>;

/// One step of a subscription.
#[derive(Debug)]
pub(super) enum Step {
    Events(Batch),
    Reset(Reset),
    /// The broadcaster drains, and everything before that has been read.
    Drained,
    /// The client fell behind and is to be disconnected.
    TooSlow,
}

/// One client's stream: every event its filter chooses, once and in order, or a [`Reset`] where some were
/// lost. It holds a position, no events. Dropping it makes room for another client.
///
/// Ends (`None`) when the broadcaster drains, and when it falls behind under [`LagPolicy::Disconnect`].
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    place: usize,
    filter: Filter,
    /// The sequence number of the first event not yet looked at.
    position: u64,
    reset: Option<ResetReason>,
    ended: bool,
}

impl Subscription {
    pub(super) fn open(
        hub: Arc<Hub>,
        last_event_id: Option<&str>,
        filter: Filter,
    ) -> Result<Self, SubscribeError> {
        let mut state = hub.lock();
        let place = state.enter(hub.options.max_clients)?;
        let (position, reset) = match start(&state, hub.epoch, last_event_id) {
            Ok(position) => (position, None),
            Err(reason) => (state.ring.next(), Some(reason)),
        };
        drop(state);
        Ok(Self {
            hub,
            place,
            filter,
            position,
            reset,
            ended: false,
        })
    }

    /// The next event or reset; `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        poll_fn(|context| self.poll_next_delivery(context)).await
    }

    /// The id of the last event before this position, whether the filter chose it or not.
    pub fn last_id(&self) -> EventId {
        EventId {
            epoch: self.hub.epoch,
            sequence: self.position - 1,
        }
    }

    /// The stream as a response body.
    pub fn into_body(self) -> SseBody {
        SseBody::new(self)
    }

    pub(super) fn options(&self) -> &Options {
        &self.hub.options
    }

    /// Whether the first thing to come is a reset.
    pub(super) fn must_reset(&self) -> bool {
        self.reset.is_some()
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// Reads on: at least one event, and more while they are ready and `most_bytes` is not reached.
    /// Nothing more comes after [`Step::Drained`] and [`Step::TooSlow`].
    pub(super) fn poll_step(
        &mut self,
        context: &mut Context<'_>,
        most_bytes: usize,
    ) -> Poll<Option<Step>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(reason) = self.reset.take() {
            return Poll::Ready(Some(Step::Reset(Reset {
                id: self.last_id(),
                reason,
            })));
        }
        // The guard must not borrow `self`, whose position moves while it is held.
        let hub = Arc::clone(&self.hub);
        let mut state = hub.lock();
        if self.position < state.ring.oldest() {
            return Poll::Ready(Some(self.fall_behind(&state)));
        }
        let batch = self.read(&state, most_bytes);
        if !batch.is_empty() {
            return Poll::Ready(Some(Step::Events(batch)));
        }
        if state.draining {
            self.ended = true;
            return Poll::Ready(Some(Step::Drained));
        }
        state.wait(self.place, context.waker());
        Poll::Pending
    }

    fn read(&mut self, state: &State, most_bytes: usize) -> Batch {
        let mut batch = Batch::new();
        let mut bytes = 0;
        for event in state.ring.from(self.position) {
            self.position += 1;
            if self.filter.matches(event) {
                bytes += event.block().len();
                batch.push(event.clone());
                if bytes >= most_bytes {
                    break;
                }
            }
        }
        batch
    }

    fn fall_behind(&mut self, state: &State) -> Step {
        match self.hub.options.lag {
            LagPolicy::Reset => {
                self.position = state.ring.next();
                Step::Reset(Reset {
                    id: self.last_id(),
                    reason: ResetReason::Lagged,
                })
            }
            LagPolicy::Disconnect => {
                self.ended = true;
                Step::TooSlow
            }
        }
    }

    fn poll_next_delivery(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.poll_step(context, 0).map(|step| match step? {
            Step::Events(mut batch) => batch.pop().map(Delivery::Event),
            Step::Reset(reset) => Some(Delivery::Reset(reset)),
            Step::Drained | Step::TooSlow => None,
        })
    }
}

/// The first position of a client that says this id, or why it has to reset.
fn start(state: &State, epoch: u64, last_event_id: Option<&str>) -> Result<u64, ResetReason> {
    let Some(text) = last_event_id else {
        return Ok(state.ring.next());
    };
    let id: EventId = text.parse().map_err(|_| ResetReason::UnknownId)?;
    if id.epoch != epoch {
        return Err(ResetReason::Epoch);
    }
    if id.sequence >= state.ring.next() {
        return Err(ResetReason::UnknownId);
    }
    if id.sequence + 1 < state.ring.oldest() {
        return Err(ResetReason::Gap);
    }
    Ok(id.sequence + 1)
}

impl Stream for Subscription {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.get_mut().poll_next_delivery(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let waker = self.hub.lock().leave(self.place);
        drop(waker);
    }
}
