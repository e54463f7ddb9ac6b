//! Where events are published.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::hub::Hub;
use super::{
    EventId, EventName, Filter, Options, PublishError, Published, SubscribeError, Subscription,
};

/// Numbers events, keeps the latest, and lets clients read them. Clones are the same broadcaster; when
/// the last one is dropped, its streams end as if it had been [drained](Self::drain).
#[derive(Debug, Clone)]
pub struct Broadcaster {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    hub: Arc<Hub>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.hub.change(|state| state.draining = true);
    }
}

impl Broadcaster {
    /// A broadcaster in a new epoch, chosen at random among 2^48.
    pub fn new(options: Options) -> Self {
        let random = RandomState::new().hash_one(SystemTime::now());
        Self::with_epoch(options, random >> 16)
    }

    /// A broadcaster in this epoch, which none before it may have had: a client that saw events of the
    /// other one would be given the wrong ones.
    pub fn with_epoch(options: Options, epoch: u64) -> Self {
        Self {
            owner: Arc::new(Owner {
                hub: Arc::new(Hub::new(epoch, options)),
            }),
        }
    }

    /// Publishes an event about nothing in particular.
    pub fn publish(
        &self,
        name: &EventName,
        data: impl Into<Bytes>,
    ) -> Result<EventId, PublishError> {
        self.add(name, None, data.into())
    }

    /// Publishes an event about `topic`, by which [`Filter`]s can choose it. Clients do not see the topic.
    pub fn publish_to(
        &self,
        topic: impl Into<Arc<str>>,
        name: &EventName,
        data: impl Into<Bytes>,
    ) -> Result<EventId, PublishError> {
        self.add(name, Some(topic.into()), data.into())
    }

    /// A client's stream of the events `filter` chooses.
    ///
    /// Without `last_event_id` it begins with the next event. With the id of an event of this epoch it
    /// begins after that one. With any other text, or when events after it have left the ring, it begins
    /// with a [`Reset`](super::Reset).
    pub fn subscribe(
        &self,
        last_event_id: Option<&str>,
        filter: Filter,
    ) -> Result<Subscription, SubscribeError> {
        Subscription::open(Arc::clone(&self.owner.hub), last_event_id, filter)
    }

    /// How many clients there are now.
    pub fn clients(&self) -> usize {
        self.owner.hub.lock().clients()
    }

    /// The id of the last event; sequence 0 before the first.
    pub fn last_id(&self) -> EventId {
        let hub = &self.owner.hub;
        EventId {
            epoch: hub.epoch,
            sequence: hub.lock().ring.next() - 1,
        }
    }

    /// Ends all streams: each client still gets what was published, then a time to reconnect after, and
    /// the end. From now on nothing is published and nobody subscribes. Idempotent, and does not wait.
    pub fn drain(&self) {
        self.owner.hub.change(|state| state.draining = true);
    }

    fn add(
        &self,
        name: &EventName,
        topic: Option<Arc<str>>,
        data: Bytes,
    ) -> Result<EventId, PublishError> {
        let hub = &self.owner.hub;
        let buffer_bytes = hub.options.buffer_bytes.get();
        hub.change(|state| {
            if state.draining {
                return Err(PublishError::Draining);
            }
            let id = EventId {
                epoch: hub.epoch,
                sequence: state.ring.next(),
            };
            let event = Published::new(id, name.clone(), topic, data);
            if event.size() > buffer_bytes {
                return Err(PublishError::TooLarge { buffer_bytes });
            }
            state.ring.push(event);
            Ok(id)
        })
    }
}
