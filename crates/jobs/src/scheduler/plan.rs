//! Which slots are to be made: functions of a scheduler, where it stands, and `now`.

use std::num::NonZeroU64;
use std::time::Duration;

use super::timetable::Timetable;
use super::{CatchUp, Scheduler};
use crate::clock::Timestamp;
use crate::error::AddError;

/// How late a slot may be and still be made under [`CatchUp::Skip`].
pub(crate) const SKIP_GRACE: Duration = Duration::from_secs(10);

/// What of a scheduler decides about its slots.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) timetable: Timetable,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) limit: Option<NonZeroU64>,
    pub(crate) immediately: bool,
    pub(crate) catch_up: CatchUp,
}

/// Where a scheduler stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Jobs made so far.
    pub(crate) made: u64,
    /// The last slot that was made or left out.
    pub(crate) last: Option<Timestamp>,
    /// The next slot.
    pub(crate) next: Option<Timestamp>,
}

/// What is to be done at a certain time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The slots to be made, in order.
    pub(crate) make: Vec<Timestamp>,
    /// Where the scheduler stands then.
    pub(crate) standing: Standing,
}

impl Plan {
    /// Checks the schedule.
    pub(crate) fn new(scheduler: &Scheduler) -> Result<Self, AddError> {
        let plan = Self {
            timetable: Timetable::new(&scheduler.schedule)?,
            start: scheduler.start,
            end: scheduler.end,
            limit: scheduler.limit,
            immediately: scheduler.immediately,
            catch_up: scheduler.catch_up,
        };
        // Without this a pattern such as 30 February would be accepted and do nothing for ever.
        let from = scheduler.start.unwrap_or(Timestamp::from_millis(0));
        if plan.timetable.at_or_after(from).is_none() {
            let why = "no time fits the pattern".to_owned();
            return Err(AddError::Schedule(why));
        }
        Ok(plan)
    }

    /// The next slot of a scheduler that is new, or got another schedule.
    pub(crate) fn first(&self, standing: Standing, now: Timestamp) -> Option<Timestamp> {
        let from = self.start.map_or(now, |start| start.max(now));
        let slot = match (&self.timetable, standing.last) {
            _ if self.immediately && standing.last.is_none() => from,
            (
                Timetable::Every {
                    every,
                    offset: None,
                },
                Some(last),
            ) => {
                let next = last.as_millis().checked_add(*every)?;
                Timestamp::from_millis(next).max(from)
            }
            (timetable, Some(last)) if last >= from => timetable.after(last)?,
            (timetable, _) => timetable.at_or_after(from)?,
        };
        self.allowed(standing.made, slot)
    }

    /// What is due at `now`, at most `step` slots (at least 1). `waits`: the job of the last slot has not
    /// started yet; unless each slot gets its job, it stands for the later ones too.
    pub(crate) fn due(&self, standing: Standing, waits: bool, now: Timestamp, step: usize) -> Step {
        let mut due = Step {
            make: Vec::new(),
            standing,
        };
        let next = standing
            .next
            .and_then(|next| self.allowed(standing.made, next));
        let Some(slot) = next.filter(|next| *next <= now) else {
            due.standing.next = next;
            return due;
        };
        let until = self.end.map_or(now, |end| end.min(now));
        if self.catch_up == CatchUp::All {
            self.each(&mut due, slot, until, step);
        } else {
            let latest = self.timetable.latest(slot, until);
            let late = now.saturating_since(latest);
            if !waits && (self.catch_up == CatchUp::One || late <= SKIP_GRACE) {
                due.make.push(latest);
                due.standing.made += 1;
            }
            due.standing.last = Some(latest);
            due.standing.next = self.next(due.standing.made, latest);
        }
        due
    }

    /// The slot after the one at `last`, on stores where the job of the next slot is made ahead and waits.
    #[cfg(feature = "redis")]
    pub(crate) fn following(
        &self,
        made: u64,
        last: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut slot = self.timetable.after(last)?;
        if slot <= now && self.catch_up != CatchUp::All {
            slot = self.timetable.after(self.timetable.latest(slot, now))?;
        }
        self.allowed(made, slot)
    }

    fn each(&self, due: &mut Step, first: Timestamp, until: Timestamp, step: usize) {
        let standing = &mut due.standing;
        let mut slot = first;
        loop {
            due.make.push(slot);
            standing.made += 1;
            standing.last = Some(slot);
            standing.next = self.next(standing.made, slot);
            match standing.next {
                Some(next) if next <= until && due.make.len() < step => slot = next,
                _ => return,
            }
        }
    }

    /// The slot after `slot`, if there is to be one.
    fn next(&self, made: u64, slot: Timestamp) -> Option<Timestamp> {
        self.timetable
            .after(slot)
            .and_then(|next| self.allowed(made, next))
    }

    fn allowed(&self, made: u64, slot: Timestamp) -> Option<Timestamp> {
        let more = self.limit.is_none_or(|limit| made < limit.get());
        let open = self.end.is_none_or(|end| slot <= end);
        (more && open).then_some(slot)
    }
}
