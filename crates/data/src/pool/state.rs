//! What a pool knows, behind its lock: which connections lie ready, which are out, and what was counted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::check::Stamp;
use super::clock::Moment;
use super::shed::HoldTime;
use super::statistics::{Counts, Occupancy, Statistics};

/// A connection with its papers.
#[derive(Debug)]
pub(super) struct Papers<C> {
    pub(super) connection: C,
    pub(super) opened: Moment,
    /// How old it may become.
    pub(super) lifetime: Duration,
}

/// A connection that lies ready.
#[derive(Debug)]
pub(super) struct Parked<C> {
    pub(super) papers: Papers<C>,
    pub(super) used: Stamp,
}

/// Whether connections are lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Returned ones are put aside to be closed politely.
    Closing,
    /// Returned ones are dropped.
    Closed,
}

/// All of it. The lock is held for moments only, never across an await.
#[derive(Debug)]
pub(super) struct State<C> {
    pub(super) phase: Phase,
    /// The one used last is at the back: it is lent first, so that the others may become old and go.
    pub(super) idle: VecDeque<Parked<C>>,
    /// Number and beginning of each slot that is taken, in no order. At most as many as the pool's size.
    taken: Vec<(u64, Instant)>,
    next_slot: u64,
    pub(super) waiting: usize,
    pub(super) hold: HoldTime,
    pub(super) counts: Counts,
}

impl<C> State<C> {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Open,
            idle: VecDeque::new(),
            taken: Vec::new(),
            next_slot: 0,
            waiting: 0,
            hold: HoldTime::default(),
            counts: Counts::default(),
        }
    }

    /// Somebody takes a slot; gives its number.
    pub(super) fn take(&mut self, now: Instant) -> u64 {
        let slot = self.next_slot;
        self.next_slot += 1;
        self.taken.push((slot, now));
        slot
    }

    /// The slot is free again; gives since when it was taken.
    pub(super) fn free(&mut self, slot: u64) -> Option<Instant> {
        let place = self.taken.iter().position(|taken| taken.0 == slot)?;
        Some(self.taken.swap_remove(place).1)
    }

    /// Whether every slot is free.
    pub(super) fn all_free(&self) -> bool {
        self.taken.is_empty()
    }

    /// The connection that lay unused longest, when that was for `max_idle` or more.
    pub(super) fn superfluous(&mut self, now: Moment, max_idle: Duration) -> Option<Parked<C>> {
        let oldest = self.idle.front()?;
        if now.since(oldest.used.moment) < max_idle {
            return None;
        }
        self.counts.retired += 1;
        self.idle.pop_front()
    }

    pub(super) fn occupancy(&self, size: usize, now: Instant) -> Occupancy {
        let oldest = self.taken.iter().map(|taken| taken.1).min();
        Occupancy {
            size,
            in_use: self.taken.len(),
            idle: self.idle.len(),
            waiting: self.waiting,
            longest_held: oldest.map(|since| now.saturating_duration_since(since)),
        }
    }

    pub(super) fn statistics(&self, size: usize, now: Instant) -> Statistics {
        Statistics {
            occupancy: self.occupancy(size, now),
            mean_held: self.hold.mean(),
            counts: self.counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::{Clock, ManualClock};
    use super::*;

    #[test]
    fn slots_are_counted_whatever_their_order() {
        let mut state: State<()> = State::new();
        let clock = ManualClock::default();
        let slots: Vec<u64> = (0..3)
            .map(|_| {
                clock.advance(Duration::from_secs(1));
                state.take(clock.now().monotonic)
            })
            .collect();
        let longest = |state: &State<()>| {
            let occupancy = state.occupancy(3, clock.now().monotonic);
            (
                occupancy.in_use,
                occupancy.longest_held.map(|held| held.as_secs()),
            )
        };
        assert_eq!(longest(&state), (3, Some(2)));
        assert!(state.free(slots[0]).is_some());
        assert_eq!(state.free(slots[0]), None);
        assert_eq!(longest(&state), (2, Some(1)));
        state.free(slots[2]);
        state.free(slots[1]);
        assert_eq!(longest(&state), (0, None));
        assert!(state.all_free());
    }

    #[test]
    fn only_what_lay_long_enough_is_superfluous() {
        let mut state: State<u8> = State::new();
        let clock = ManualClock::default();
        for connection in 0..2 {
            let moment = clock.now();
            let papers = Papers {
                connection,
                opened: moment,
                lifetime: Duration::MAX,
            };
            let used = Stamp {
                moment,
                invocation: 0,
            };
            state.idle.push_back(Parked { papers, used });
            clock.advance(Duration::from_mins(1));
        }
        let mut next = || {
            let parked = state.superfluous(clock.now(), Duration::from_secs(90));
            parked.map(|parked| parked.papers.connection)
        };
        assert_eq!((next(), next()), (Some(0), None));
        assert_eq!(state.counts.retired, 1);
    }
}
