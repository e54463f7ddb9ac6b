//! Whatever happens in whatever order: each event once and in order, or a reset.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use proptest::prelude::*;

use super::super::{
    Broadcaster, Delivery, EventId, Filter, LagPolicy, Options, ResetReason, Subscription,
};
use super::name;

const CLIENTS: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Action {
    Publish { count: usize },
    Read { client: usize, most: usize },
    Leave { client: usize },
    Return { client: usize },
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1usize..4).prop_map(|count| Action::Publish { count }),
        4 => (0..CLIENTS, 1usize..6).prop_map(|(client, most)| Action::Read { client, most }),
        1 => (0..CLIENTS).prop_map(|client| Action::Leave { client }),
        3 => (0..CLIENTS).prop_map(|client| Action::Return { client }),
        1 => Just(Action::Restart),
    ]
}

/// A client and what it has been told.
#[derive(Default)]
struct Reader {
    stream: Option<Subscription>,
    /// The last id it saw; events after it are owed to it.
    seen: Option<EventId>,
}

struct World {
    broadcaster: Broadcaster,
    readers: [Reader; CLIENTS],
    ring: u64,
    policy: LagPolicy,
}

impl World {
    fn new(ring: u64, policy: LagPolicy) -> Self {
        let readers = Default::default();
        Self {
            broadcaster: start(ring, policy, 0),
            readers,
            ring,
            policy,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Publish { count } => {
                for _ in 0..count {
                    self.broadcaster.publish(&name("n"), "x").unwrap();
                }
            }
            Action::Read { client, most } => self.read(client, most),
            Action::Leave { client } => self.readers[client].stream = None,
            Action::Return { client } => self.come_back(client),
            Action::Restart => {
                for reader in &mut self.readers {
                    reader.stream = None;
                }
                let epoch = self.broadcaster.last_id().epoch + 1;
                self.broadcaster = start(self.ring, self.policy, epoch);
            }
        }
    }

    fn come_back(&mut self, client: usize) {
        let reader = &mut self.readers[client];
        let last = reader.seen.map(|id| id.to_string());
        let stream = self
            .broadcaster
            .subscribe(last.as_deref(), Filter::all())
            .unwrap();
        // A new client is owed what comes after the moment it subscribed.
        reader.seen.get_or_insert(stream.last_id());
        reader.stream = Some(stream);
    }

    fn read(&mut self, client: usize, most: usize) {
        let last = self.broadcaster.last_id();
        let reader = &mut self.readers[client];
        let Some(stream) = &mut reader.stream else {
            return;
        };
        let seen = reader
            .seen
            .as_mut()
            .expect("a reader with a stream knows its position");
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..most {
            match Pin::new(&mut *stream).poll_next(&mut context) {
                Poll::Ready(Some(Delivery::Event(event))) => {
                    let next = EventId {
                        sequence: seen.sequence + 1,
                        ..*seen
                    };
                    assert_eq!(event.id(), next, "the next event, once");
                    *seen = next;
                }
                Poll::Ready(Some(Delivery::Reset(reset))) => {
                    let gone = last.sequence - self.ring.min(last.sequence);
                    match reset.reason {
                        ResetReason::Epoch => assert_ne!(seen.epoch, last.epoch),
                        _ => assert!(seen.sequence < gone, "a reset only where events are lost"),
                    }
                    assert_eq!(reset.id.epoch, last.epoch);
                    *seen = reset.id;
                }
                Poll::Ready(None) => {
                    assert_eq!(self.policy, LagPolicy::Disconnect);
                    assert!(seen.sequence < last.sequence - self.ring);
                    reader.stream = None;
                    return;
                }
                Poll::Pending => {
                    assert_eq!(*seen, last, "nothing is owed to a client that waits");
                    return;
                }
            }
        }
    }
}

fn start(ring: u64, policy: LagPolicy, epoch: u64) -> Broadcaster {
    let events = NonZeroUsize::new(usize::try_from(ring).unwrap()).unwrap();
    let options = Options::default()
        .with_buffer_events(events)
        .with_lag_policy(policy);
    Broadcaster::with_epoch(options, epoch)
}

proptest! {
    #[test]
    fn each_event_arrives_once_and_in_order_or_a_reset_does(
        actions in proptest::collection::vec(action(), 1..120),
        ring in 1u64..8,
        disconnect in any::<bool>(),
    ) {
        let policy = if disconnect { LagPolicy::Disconnect } else { LagPolicy::Reset };
        let mut world = World::new(ring, policy);
        for action in actions {
            world.act(action);
        }
        // In the end everyone comes back and reads all there is.
        for client in 0..CLIENTS {
            world.come_back(client);
            world.read(client, usize::MAX);
            prop_assert_eq!(world.readers[client].seen, Some(world.broadcaster.last_id()));
        }
    }
}
