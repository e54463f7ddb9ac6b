//! An event with its place in the order of all.

use std::sync::Arc;

use bytes::Bytes;

use super::{Event, EventId, EventName};

/// An event that was published. Clones share it.
#[derive(Debug, Clone)]
pub struct Published(Arc<Record>);

#[derive(Debug)]
struct Record {
    id: EventId,
    name: EventName,
    topic: Option<Arc<str>>,
    data: Bytes,
    /// The whole block, encoded once for all clients.
    block: Bytes,
}

impl Published {
    pub(super) fn new(id: EventId, name: EventName, topic: Option<Arc<str>>, data: Bytes) -> Self {
        let block = Event::new()
            .with_id(id)
            .with_name(name.clone())
            .with_data(data.clone())
            .to_bytes();
        Self(Arc::new(Record {
            id,
            name,
            topic,
            data,
            block,
        }))
    }

    /// Its id.
    pub fn id(&self) -> EventId {
        self.0.id
    }

    /// Its name.
    pub fn name(&self) -> &EventName {
        &self.0.name
    }

    /// What it is about, for filters; never sent.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// Its data, as it was published.
    pub fn data(&self) -> &Bytes {
        &self.0.data
    }

    /// Its block on the wire.
    pub(super) fn block(&self) -> &Bytes {
        &self.0.block
    }

    /// The memory it takes, roughly.
    pub(super) fn size(&self) -> usize {
        size_of::<Record>() + self.0.data.len() + self.0.block.len()
    }
}
