//! The calendar that cron patterns are searched in: `jiff`'s, by croner's seam for calendars.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ZonedDateTime};

use crate::clock::Timestamp;

/// A point in time as clocks on the wall show it.
#[derive(Debug, Clone)]
pub(super) struct WallTime(ZonedDateTime);

impl WallTime {
    /// `at` in `zone`, whole seconds; none beyond the years of the calendar.
    pub(super) fn new(at: Timestamp, zone: &TimeZone) -> Option<Self> {
        let second = at.as_millis().div_euclid(1_000);
        let at = jiff::Timestamp::from_second(second).ok()?;
        Some(Self(ZonedDateTime::new(at, zone.clone())))
    }

    /// The point in time.
    pub(super) fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.0.timestamp().as_millisecond())
    }
}

fn to_civil(time: DateTime) -> CivilDateTime {
    let part = |part: i8| u32::from(part.unsigned_abs());
    CivilDateTime::new(
        CivilDate::from_parts_unchecked(
            i32::from(time.year()),
            part(time.month()),
            part(time.day()),
        ),
        CivilTime::from_parts_unchecked(
            part(time.hour()),
            part(time.minute()),
            part(time.second()),
        ),
    )
}

fn from_civil(time: CivilDateTime) -> Result<DateTime, CronError> {
    let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
    let year = i16::try_from(time.year()).map_err(|_| CronError::InvalidDate)?;
    DateTime::new(
        year,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
        0,
    )
    .map_err(|_| CronError::InvalidDate)
}

impl CronDateTime for WallTime {
    fn to_civil(&self) -> CivilDateTime {
        to_civil(self.0.datetime())
    }

    fn civil_weekday(&self) -> Weekday {
        let day = self.0.datetime().weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(u32::from(day.unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let local = self
            .0
            .time_zone()
            .to_ambiguous_zoned_datetime(from_civil(civil)?);
        let zoned = |zoned: Result<ZonedDateTime, jiff::Error>| {
            zoned.map(Self).map_err(|_| CronError::InvalidTime)
        };
        Ok(match local.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(zoned(local.unambiguous())?),
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(zoned(local.clone().earlier())?, zoned(local.later())?)
            }
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        let moved = self.0.checked_add(SignedDuration::from_secs(seconds));
        moved.ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}
