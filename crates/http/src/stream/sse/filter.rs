//! Which events a client gets.

use std::sync::Arc;

use super::{EventName, Published};

/// A choice of events by name and topic. Clones share it.
///
/// It is data and not code because it is asked while the ring is locked.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Filter {
    names: Option<Arc<[EventName]>>,
    topics: Option<Arc<[Arc<str>]>>,
}

impl Filter {
    /// Every event.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of the events chosen so far, those with one of these names.
    pub fn with_names(mut self, names: impl IntoIterator<Item = EventName>) -> Self {
        self.names = Some(names.into_iter().collect());
        self
    }

    /// Of the events chosen so far, those about one of these topics. An event without a topic is not.
    pub fn with_topics<T: Into<Arc<str>>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics = Some(topics.into_iter().map(Into::into).collect());
        self
    }

    /// Whether `event` is one of those chosen.
    pub fn matches(&self, event: &Published) -> bool {
        let name = self
            .names
            .as_ref()
            .is_none_or(|names| names.contains(event.name()));
        let topic = || {
            self.topics.as_ref().is_none_or(|topics| {
                event
                    .topic()
                    .is_some_and(|topic| topics.iter().any(|known| &**known == topic))
            })
        };
        name && topic()
    }
}
