//! The latest events, bounded in number and in bytes.

use std::collections::VecDeque;

use super::Published;

/// Events of consecutive sequence numbers, the oldest of which give way to new ones.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Published>,
    /// The sequence number of the first event kept; of the next one to come when none is.
    oldest: u64,
    bytes: usize,
    most_events: usize,
    most_bytes: usize,
}

impl Ring {
    pub(super) fn new(most_events: usize, most_bytes: usize) -> Self {
        Self {
            events: VecDeque::new(),
            oldest: 1,
            bytes: 0,
            most_events,
            most_bytes,
        }
    }

    /// The sequence number of the first event that can still be read.
    pub(super) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The sequence number the next event gets.
    pub(super) fn next(&self) -> u64 {
        self.oldest + self.events.len() as u64
    }

    /// Adds the event numbered [`next`](Self::next), and drops the oldest ones over the bounds. The newest
    /// is always kept.
    pub(super) fn push(&mut self, event: Published) {
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.len() > 1
            && (self.events.len() > self.most_events || self.bytes > self.most_bytes)
        {
            if let Some(dropped) = self.events.pop_front() {
                self.bytes -= dropped.size();
                self.oldest += 1;
            }
        }
    }

    /// The events from `sequence` on, oldest first; none when it is out of range.
    pub(super) fn from(&self, sequence: u64) -> impl Iterator<Item = &Published> {
        let skipped = sequence
            .checked_sub(self.oldest)
            .and_then(|count| usize::try_from(count).ok())
            .map_or(self.events.len(), |count| count.min(self.events.len()));
        self.events.range(skipped..)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EventId, EventName};
    use super::*;

    fn push(ring: &mut Ring, data: &str) {
        let id = EventId {
            epoch: 1,
            sequence: ring.next(),
        };
        let name = EventName::new("n").unwrap();
        ring.push(Published::new(id, name, None, data.to_owned().into()));
    }

    fn check(ring: &Ring, from: u64, expected: &[u64]) {
        let found: Vec<u64> = ring.from(from).map(|event| event.id().sequence).collect();
        assert_eq!(found, expected, "from {from}");
    }

    #[test]
    fn the_number_of_events_is_bounded() {
        let mut ring = Ring::new(3, usize::MAX);
        check(&ring, 1, &[]);
        assert_eq!((ring.oldest(), ring.next()), (1, 1));
        for _ in 0..5 {
            push(&mut ring, "x");
        }
        assert_eq!((ring.oldest(), ring.next()), (3, 6));
        check(&ring, 3, &[3, 4, 5]);
        check(&ring, 5, &[5]);
        check(&ring, 6, &[]);
        check(&ring, u64::MAX, &[]);
        check(&ring, 2, &[]);
    }

    #[test]
    fn the_bytes_are_bounded_and_the_newest_is_kept() {
        let mut ring = Ring::new(1_000, 4_096);
        for _ in 0..100 {
            push(&mut ring, &"x".repeat(500));
            assert!(ring.bytes <= 4_096);
        }
        push(&mut ring, &"x".repeat(50_000));
        check(&ring, ring.oldest(), &[101]);
        push(&mut ring, "x");
        check(&ring, ring.oldest(), &[102]);
    }
}
