//! Where the slots of a schedule lie.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use super::Schedule;
use super::zoned::WallTime;
use crate::clock::Timestamp;
use crate::error::AddError;

/// Bytes of a pattern and of a zone's name.
const LONGEST_TEXT: usize = 256;
/// Slots walked from the one that the search backwards found; it is the last one but for odd zones.
const LONGEST_WALK: usize = 1_000;

/// A schedule that was checked.
#[derive(Debug, Clone)]
pub(crate) enum Timetable {
    Cron {
        cron: Box<Cron>,
        zone: TimeZone,
    },
    /// In milliseconds.
    Every {
        every: i64,
        offset: Option<i64>,
    },
}

impl Timetable {
    /// Checks `schedule`; what is wrong with it is an [`AddError::Schedule`].
    pub(crate) fn new(schedule: &Schedule) -> Result<Self, AddError> {
        let wrong = |why: String| Err(AddError::Schedule(why));
        match schedule {
            Schedule::Cron { pattern, zone } => {
                for (what, text) in [("pattern", pattern), ("zone", zone)] {
                    if text.len() > LONGEST_TEXT {
                        return wrong(format!("the {what} is longer than {LONGEST_TEXT} bytes"));
                    }
                }
                let fields = CronParser::builder()
                    .seconds(Seconds::Optional)
                    .year(Year::Disallowed);
                let cron = match fields.build().parse(pattern) {
                    Ok(cron) => Box::new(cron),
                    Err(error) => return wrong(format!("the pattern {pattern:?}: {error}")),
                };
                match TimeZone::get(zone) {
                    Ok(zone) => Ok(Self::Cron { cron, zone }),
                    Err(_) => wrong(format!(
                        "there is no time zone {zone:?}: name one of the IANA database, such as Europe/Berlin or UTC"
                    )),
                }
            }
            Schedule::Every { every, offset } => {
                let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
                if every == 0 {
                    return wrong("the distance must be at least 1 ms".to_owned());
                }
                let offset =
                    offset.map(|offset| i64::try_from(offset.as_millis()).unwrap_or(i64::MAX));
                Ok(Self::Every { every, offset })
            }
        }
    }

    /// The first slot at `from` or later. Slots at equal distances without an offset may begin anywhere.
    pub(crate) fn at_or_after(&self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron { cron, zone } => {
                // Slots are whole seconds. The search begins after the one before `from`: a search from `from` on
                // would not see that it ends a gap which holds a slot.
                let before = Timestamp::from_millis(from.as_millis().checked_sub(1)?);
                let start = WallTime::new(before, zone)?;
                let found = cron.find_next_occurrence(&start, false).ok()?;
                Some(found.timestamp())
            }
            Self::Every {
                every,
                offset: Some(offset),
            } => {
                let past = from.as_millis().checked_sub(*offset)?.rem_euclid(*every);
                let wait = if past == 0 { 0 } else { every - past };
                from.as_millis()
                    .checked_add(wait)
                    .map(Timestamp::from_millis)
            }
            Self::Every { offset: None, .. } => Some(from),
        }
    }

    /// The slot that follows `slot`.
    pub(crate) fn after(&self, slot: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron { .. }
            | Self::Every {
                offset: Some(_), ..
            } => self.at_or_after(Timestamp::from_millis(slot.as_millis().checked_add(1)?)),
            Self::Every {
                every,
                offset: None,
            } => slot
                .as_millis()
                .checked_add(*every)
                .map(Timestamp::from_millis),
        }
    }

    /// The last slot up to `until`, at least `slot`, which is one.
    pub(crate) fn latest(&self, slot: Timestamp, until: Timestamp) -> Timestamp {
        match self {
            Self::Cron { cron, zone } => {
                let found = WallTime::new(until, zone)
                    .and_then(|end| cron.find_previous_occurrence(&end, true).ok())
                    .map_or(slot, |found| found.timestamp());
                let mut last = found.max(slot);
                for _ in 0..LONGEST_WALK {
                    match self.after(last) {
                        Some(next) if next <= until => last = next,
                        _ => break,
                    }
                }
                last
            }
            Self::Every {
                every,
                offset: Some(_),
            } => {
                // The slot given may be out of step: the first one when it was made at once.
                let next = self.after(until);
                let last = next.and_then(|next| next.as_millis().checked_sub(*every));
                last.map_or(slot, Timestamp::from_millis).max(slot)
            }
            Self::Every {
                every,
                offset: None,
            } => {
                let passed = until.as_millis().saturating_sub(slot.as_millis()).max(0);
                Timestamp::from_millis(slot.as_millis().saturating_add(passed / every * every))
            }
        }
    }
}
