//! When a compressed stream is flushed: a decision on what was written and when.

use std::time::Duration;

use tokio::time::Instant;

/// What may be cut where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Any byte may be the last one flushed.
    Bytes,
    /// `text/event-stream`: half an event is of no use to the client.
    Events,
}

/// Watches what goes into an encoder and says when to flush it.
#[derive(Debug)]
pub(super) struct FlushSchedule {
    framing: Framing,
    latency: Duration,
    oldest: Option<Instant>,
    tail: [u8; 4],
}

impl FlushSchedule {
    pub(super) fn new(framing: Framing, latency: Duration) -> Self {
        Self {
            framing,
            latency,
            oldest: None,
            tail: [0; 4],
        }
    }

    /// Bytes went into the encoder at `now`.
    pub(super) fn wrote(&mut self, data: &[u8], now: Instant) {
        self.oldest.get_or_insert(now);
        for &byte in &data[data.len().saturating_sub(4)..] {
            self.tail.rotate_left(1);
            self.tail[3] = byte;
        }
    }

    /// Everything written is out.
    pub(super) fn flushed(&mut self) {
        self.oldest = None;
    }

    /// Whether to flush now that the source has nothing more to give for a while. An event stream is
    /// flushed at the end of any line, so that a comment sent as a heartbeat gets through.
    pub(super) fn on_pause(&self) -> bool {
        self.oldest.is_some()
            && (self.framing == Framing::Bytes || matches!(self.tail[3], b'\n' | b'\r'))
    }

    /// Whether to flush although the source goes on: the oldest byte has waited long enough.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let waited = self
            .oldest
            .is_some_and(|oldest| now.saturating_duration_since(oldest) >= self.latency);
        waited && (self.framing == Framing::Bytes || self.is_event_boundary())
    }

    /// An event ends with an empty line, in any of the three line endings.
    fn is_event_boundary(&self) -> bool {
        self.tail.ends_with(b"\n\n")
            || self.tail.ends_with(b"\r\r")
            || self.tail.ends_with(b"\r\n\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Duration = Duration::from_millis(100);

    #[test]
    fn a_pause_flushes_what_is_useful_to_the_client() {
        let check = |framing: Framing, written: &[&str], expected: bool| {
            let mut schedule = FlushSchedule::new(framing, LATENCY);
            for piece in written {
                schedule.wrote(piece.as_bytes(), Instant::now());
            }
            assert_eq!(schedule.on_pause(), expected, "{framing:?} {written:?}");
        };
        check(Framing::Bytes, &[], false);
        check(Framing::Bytes, &["x"], true);
        check(Framing::Events, &[], false);
        check(Framing::Events, &["data: 1\n\n"], true);
        check(Framing::Events, &[": heartbeat\n"], true);
        check(Framing::Events, &["data: 1\n\n", "data: 2"], false);
    }

    #[test]
    fn a_source_that_never_pauses_is_flushed_after_the_latency_at_a_boundary() {
        let check = |framing: Framing, written: &[&str], after: Duration, expected: bool| {
            let start = Instant::now();
            let mut schedule = FlushSchedule::new(framing, LATENCY);
            for piece in written {
                schedule.wrote(piece.as_bytes(), start);
            }
            assert_eq!(
                schedule.is_overdue(start + after),
                expected,
                "{framing:?} {written:?} {after:?}"
            );
        };
        check(Framing::Bytes, &["x"], LATENCY, true);
        check(Framing::Bytes, &["x"], LATENCY / 2, false);
        check(Framing::Bytes, &[], LATENCY, false);
        check(Framing::Events, &["data: 1\n\n"], LATENCY, true);
        check(Framing::Events, &["data: 1\r\n", "\r\n"], LATENCY, true);
        check(Framing::Events, &["data: 1\r\r"], LATENCY, true);
        check(Framing::Events, &["data: 1\n"], LATENCY, false);
    }

    #[test]
    fn a_flush_starts_the_wait_anew() {
        let start = Instant::now();
        let mut schedule = FlushSchedule::new(Framing::Bytes, LATENCY);
        schedule.wrote(b"x", start);
        schedule.flushed();
        assert!(!schedule.on_pause() && !schedule.is_overdue(start + LATENCY));
        schedule.wrote(b"y", start + LATENCY);
        assert!(!schedule.is_overdue(start + LATENCY) && schedule.is_overdue(start + 2 * LATENCY));
    }
}
