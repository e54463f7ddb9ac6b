//! A subscription as a response body.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::subscription::{Batch, Step};
use super::{Event, EventId, EventName, Published, Reset, Subscription};

/// Events that are ready together go into one frame until it has this many bytes.
const FRAME_BYTES: usize = 32 * 1_024;
/// The longest a timer is set for; a stream without an end looks at its clock this often.
const FAR: Duration = Duration::from_hours(24 * 365);

/// The `text/event-stream` body of a [`Subscription`].
///
/// Each frame is whole events, so a compressing layer can flush after each. A frame is made only when one
/// is asked for, that is when the client has read the one before; until then the body holds nothing but
/// its position. Needs a tokio runtime with time, from its first poll on.
#[derive(Debug)]
pub struct SseBody {
    subscription: Subscription,
    /// Wakes an idle stream. Made at the first poll, and set on only when it fires.
    timer: Option<Pin<Box<Sleep>>>,
    last_frame: Instant,
    ends: Option<Instant>,
    /// The last position the client was told by an `id`.
    told: EventId,
    ended: bool,
}

impl SseBody {
    pub(super) fn new(subscription: Subscription) -> Self {
        let now = Instant::now();
        let lifetime = subscription.options().max_lifetime;
        Self {
            told: subscription.last_id(),
            ends: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
            subscription,
            timer: None,
            last_frame: now,
            ended: false,
        }
    }

    /// The first frame: it lets the client see at once that the stream is open, and where.
    ///
    /// A client that has to reset is not told where before it is told so: it might come back with that id
    /// and never learn that it missed something.
    fn greeting(&self) -> Bytes {
        let greeting = Event::new().with_retry(self.subscription.options().retry);
        if self.subscription.must_reset() {
            return greeting.to_bytes();
        }
        greeting.with_id(self.subscription.last_id()).to_bytes()
    }

    fn on_step(&mut self, step: Step) -> Option<Bytes> {
        match step {
            Step::Events(batch) => {
                self.told = batch.last().map_or(self.told, Published::id);
                Some(join(&batch))
            }
            Step::Reset(reset) => {
                self.told = reset.id;
                Some(reset_event(reset).to_bytes())
            }
            Step::Drained => {
                self.ended = true;
                Some(Event::new().with_retry(self.own_retry()).to_bytes())
            }
            Step::TooSlow => None,
        }
    }

    /// Between the usual time and its double, spread evenly over the clients.
    fn own_retry(&self) -> Duration {
        // Multiples of the golden ratio spread over the unit interval; the place numbers clients densely.
        let place = u32::try_from(self.subscription.place() % (1 << 20)).unwrap_or(0);
        let fraction = (f64::from(place) * 0.618_033_988_749_895).fract();
        let retry = self.subscription.options().retry;
        retry.saturating_add(retry.mul_f64(fraction))
    }

    /// A comment, and the position when filtered events have moved it on: a client that comes back then
    /// need not reset because of events it would not have got.
    fn heartbeat(&mut self) -> Bytes {
        let position = self.subscription.last_id();
        let event = Event::new().with_comment("");
        if self.told == position {
            return event.to_bytes();
        }
        self.told = position;
        event.with_id(position).to_bytes()
    }

    /// Ready when the stream has been idle for a heartbeat, or has reached its end.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let interval = self.subscription.options().heartbeat.min(FAR);
            let beat = self.last_frame + interval;
            let due = self.ends.map_or(beat, |end| end.min(beat));
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            timer.as_mut().reset(due);
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.ended || self.ends.is_some_and(|end| end <= now)
    }
}

impl Body for SseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let now = Instant::now();
        if body.is_over(now) {
            body.ended = true;
            return Poll::Ready(None);
        }
        let bytes = if body.timer.is_none() {
            body.timer = Some(Box::pin(sleep_until(now)));
            Some(body.greeting())
        } else {
            match body.subscription.poll_step(context, FRAME_BYTES) {
                Poll::Ready(step) => step.and_then(|step| body.on_step(step)),
                Poll::Pending => {
                    std::task::ready!(body.poll_idle(context));
                    if body.is_over(Instant::now()) {
                        None
                    } else {
                        Some(body.heartbeat())
                    }
                }
            }
        };
        body.last_frame = Instant::now();
        body.ended |= bytes.is_none();
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

fn reset_event(reset: Reset) -> Event {
    let name = EventName::new("reset").expect("a plain word");
    let data = format!("{{\"reason\":\"{}\"}}", reset.reason.as_str());
    Event::new()
        .with_id(reset.id)
        .with_name(name)
        .with_data(data)
}

/// The blocks of several events in one piece; a single one is not copied.
fn join(batch: &Batch) -> Bytes {
    if let [event] = batch.as_slice() {
        return event.block().clone();
    }
    let mut bytes = BytesMut::with_capacity(batch.iter().map(|event| event.block().len()).sum());
    for event in batch {
        bytes.extend_from_slice(event.block());
    }
    bytes.freeze()
}
