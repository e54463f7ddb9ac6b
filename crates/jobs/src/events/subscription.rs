use super::Received;
use super::cursor::EventCursor;
use super::ring::RingReader;

/// A subscription to the events of one queue, or of all.
#[derive(Debug)]
pub struct QueueEvents(Source);

#[derive(Debug)]
enum Source {
    Ring(RingReader),
    #[cfg(feature = "redis")]
    Replay(Box<super::Replay>),
}

impl QueueEvents {
    /// The next event; `None` once the engine is gone. Giving up the wait loses nothing.
    pub async fn next(&mut self) -> Option<Received> {
        match &mut self.0 {
            Source::Ring(reader) => reader.next().await,
            #[cfg(feature = "redis")]
            Source::Replay(replay) => replay.next().await,
        }
    }

    /// The place up to which this subscription was read: [`Engine::events_since`](crate::Engine::events_since)
    /// goes on after it. `None` on a store that has not said yet where its streams end: Redis, until the first
    /// event or the next call to the engine, at the latest.
    pub fn cursor(&self) -> Option<EventCursor> {
        match &self.0 {
            Source::Ring(reader) => reader.cursor(),
            #[cfg(feature = "redis")]
            Source::Replay(replay) => replay.cursor(),
        }
    }
}

impl From<RingReader> for QueueEvents {
    fn from(reader: RingReader) -> Self {
        Self(Source::Ring(reader))
    }
}

#[cfg(feature = "redis")]
impl From<super::Replay> for QueueEvents {
    fn from(replay: super::Replay) -> Self {
        Self(Source::Replay(Box::new(replay)))
    }
}
