//! Slots as tables: no engine, no clock.

use std::num::NonZeroU64;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::value::to_raw_value;

use super::plan::{Plan, Standing};
use super::timetable::Timetable;
use super::{CatchUp, Schedule, Scheduler};
use crate::clock::Timestamp;
use crate::error::AddError;
use crate::names::SchedulerId;
use crate::options::JobOptions;

/// A time as people write it, with its offset.
fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(time.as_millisecond())
}

fn cron(pattern: &str, zone: &str) -> Schedule {
    Schedule::Cron {
        pattern: pattern.to_owned(),
        zone: zone.to_owned(),
    }
}

fn every(millis: u64, offset: Option<u64>) -> Schedule {
    Schedule::Every {
        every: Duration::from_millis(millis),
        offset: offset.map(Duration::from_millis),
    }
}

fn scheduler(schedule: Schedule) -> Scheduler {
    Scheduler {
        id: SchedulerId::new("s").unwrap(),
        schedule,
        start: None,
        end: None,
        limit: None,
        immediately: false,
        catch_up: CatchUp::One,
        name: "n".to_owned(),
        data: to_raw_value(&1).unwrap(),
        options: JobOptions::new(),
    }
}

/// The slots after `from` as local times with their offsets, and that walking back gives the same.
fn check(pattern: &str, zone: &str, from: &str, expected: &[&str]) {
    let timetable = Timetable::new(&cron(pattern, zone)).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let mut slot = at(from);
    for expected in expected {
        let before = slot;
        slot = timetable.after(slot).unwrap();
        let time = jiff::Timestamp::from_millisecond(slot.as_millis()).unwrap();
        let local = zone.to_datetime(time);
        let offset = zone.to_offset(time);
        assert_eq!(
            format!("{local}{offset}"),
            *expected,
            "{pattern} after {before}"
        );
        assert_eq!(timetable.at_or_after(slot), Some(slot), "{pattern}");
        let just_before = Timestamp::from_millis(slot.as_millis() - 1);
        assert_eq!(timetable.at_or_after(just_before), Some(slot), "{pattern}");
        assert_eq!(
            timetable.latest(slot, slot),
            slot,
            "{pattern} at {expected}"
        );
    }
    let first = timetable.after(at(from)).unwrap();
    assert_eq!(
        timetable.latest(first, slot),
        slot,
        "{pattern}: the latest of all"
    );
    let almost = Timestamp::from_millis(slot.as_millis() - 1);
    if first < slot {
        let latest = timetable.latest(first, almost);
        assert_eq!(
            timetable.after(latest),
            Some(slot),
            "{pattern}: the one before"
        );
    }
}

#[test]
fn cron_patterns_have_five_fields_or_six_with_seconds_first() {
    check(
        "30 9 * * 1-5",
        "UTC",
        "2026-11-27T09:30:00Z",
        &["2026-11-30T09:30:00+00", "2026-12-01T09:30:00+00"],
    );
    check(
        "*/20 * * * * *",
        "UTC",
        "2026-11-27T09:30:00.5Z",
        &[
            "2026-11-27T09:30:20+00",
            "2026-11-27T09:30:40+00",
            "2026-11-27T09:31:00+00",
        ],
    );
}

#[test]
fn dst_gap_a_fixed_time_is_made_after_it_and_an_interval_skips_it() {
    // Berlin goes from 02:00 to 03:00 on 29 March 2026, New York on 8 March.
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28T02:30:00+01:00",
        &["2026-03-29T03:00:00+02", "2026-03-30T02:30:00+02"],
    );
    check(
        "30 2 * * *",
        "America/New_York",
        "2026-03-07T02:30:00-05:00",
        &["2026-03-08T03:00:00-04", "2026-03-09T02:30:00-04"],
    );
    check(
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-03-29T01:00:00+01:00",
        &[
            "2026-03-29T01:30:00+01",
            "2026-03-29T03:00:00+02",
            "2026-03-29T03:30:00+02",
        ],
    );
    check(
        "0 0 2 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00+01:00",
        &["2026-03-29T03:00:00+02", "2026-03-30T02:00:00+02"],
    );
}

#[test]
fn dst_overlap_a_fixed_time_is_made_once_and_an_interval_twice() {
    // Berlin repeats 02:00 to 03:00 on 25 October 2026, New York 01:00 to 02:00 on 1 November.
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T02:30:00+02:00",
        &["2026-10-25T02:30:00+02", "2026-10-26T02:30:00+01"],
    );
    check(
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T01:30:00-04:00",
        &["2026-11-01T01:30:00-04", "2026-11-02T01:30:00-05"],
    );
    check(
        "*/30 * * * *",
        "America/New_York",
        "2026-11-01T00:30:00-04:00",
        &[
            "2026-11-01T01:00:00-04",
            "2026-11-01T01:30:00-04",
            "2026-11-01T01:00:00-05",
            "2026-11-01T01:30:00-05",
            "2026-11-01T02:00:00-05",
        ],
    );
}

#[test]
fn a_leap_day_comes_every_four_years_and_a_31st_skips_short_months() {
    check(
        "0 12 29 2 *",
        "Europe/Berlin",
        "2026-11-27T00:00:00Z",
        &["2028-02-29T12:00:00+01", "2032-02-29T12:00:00+01"],
    );
    check(
        "0 0 31 * *",
        "UTC",
        "2026-01-31T00:00:00Z",
        &["2026-03-31T00:00:00+00", "2026-05-31T00:00:00+00"],
    );
}

#[test]
fn a_schedule_that_cannot_be_used_says_why() {
    for (schedule, part) in [
        (
            cron("30 2 * * *", "Europe/Atlantis"),
            "time zone \"Europe/Atlantis\"",
        ),
        (cron("", "UTC"), "pattern \"\""),
        (cron("61 * * * *", "UTC"), "pattern \"61 * * * *\""),
        (cron("* * * *", "UTC"), "pattern"),
        (cron("0 0 0 1 1 * 2030", "UTC"), "pattern"),
        (cron(&"1,".repeat(200), "UTC"), "longer than 256 bytes"),
        (cron("0 0 30 2 *", "UTC"), "no time fits"),
        (every(0, None), "at least 1 ms"),
    ] {
        let refused = Plan::new(&scheduler(schedule.clone()));
        let Err(AddError::Schedule(why)) = refused else {
            panic!("{schedule:?} was accepted");
        };
        assert!(why.contains(part), "{schedule:?}: {why}");
    }
}

fn millis(times: &[i64]) -> Vec<Timestamp> {
    times.iter().copied().map(Timestamp::from_millis).collect()
}

#[test]
fn the_first_slot_follows_start_offset_and_immediately() {
    let now = Timestamp::from_millis(10_500);
    let first = |change: &dyn Fn(&mut Scheduler), schedule, standing: Standing| {
        let mut scheduler = scheduler(schedule);
        change(&mut scheduler);
        let plan = Plan::new(&scheduler).unwrap();
        plan.first(standing, now).map(Timestamp::as_millis)
    };
    let new = Standing::default();
    let start = |millis| {
        move |scheduler: &mut Scheduler| scheduler.start = Some(Timestamp::from_millis(millis))
    };
    let plain = |_: &mut Scheduler| {};
    let immediately = |scheduler: &mut Scheduler| scheduler.immediately = true;
    let end = |scheduler: &mut Scheduler| scheduler.end = Some(Timestamp::from_millis(10_999));
    let ran = Standing {
        made: 3,
        last: Some(Timestamp::from_millis(10_000)),
        next: None,
    };
    for (got, expected, what) in [
        (
            first(&plain, every(1_000, None), new),
            Some(10_500),
            "the first at once",
        ),
        (
            first(&plain, every(1_000, Some(0)), new),
            Some(11_000),
            "on the grid",
        ),
        (
            first(&plain, every(1_000, Some(250)), new),
            Some(11_250),
            "on the moved grid",
        ),
        (
            first(&plain, every(1_000, Some(1_500)), new),
            Some(10_500),
            "now is on the grid",
        ),
        (
            first(&start(12_345), every(1_000, None), new),
            Some(12_345),
            "at start",
        ),
        (
            first(&start(5), every(1_000, None), new),
            Some(10_500),
            "start in the past",
        ),
        (
            first(&start(12_345), every(1_000, Some(0)), new),
            Some(13_000),
            "after start",
        ),
        (
            first(&plain, cron("* * * * * *", "UTC"), new),
            Some(11_000),
            "cron",
        ),
        (
            first(&immediately, cron("* * * * * *", "UTC"), new),
            Some(10_500),
            "cron at once",
        ),
        (
            first(&immediately, cron("* * * * * *", "UTC"), ran),
            Some(11_000),
            "not new",
        ),
        (
            first(&plain, every(1_000, None), ran),
            Some(11_000),
            "one distance after the last",
        ),
        (
            first(&plain, every(100, None), ran),
            Some(10_500),
            "that has passed",
        ),
        (
            first(&end, every(1_000, Some(0)), new),
            None,
            "after the end",
        ),
    ] {
        assert_eq!(got, expected, "{what}");
    }
}

#[test]
fn missed_slots_after_an_hour_are_skipped_made_once_or_made_each() {
    // Each minute on the minute; down from minute 1 to minute 61 and 5 seconds.
    let minute = 60_000;
    let standing = Standing {
        made: 1,
        last: Some(Timestamp::from_millis(minute)),
        next: Some(Timestamp::from_millis(2 * minute)),
    };
    let due = |catch_up, waits, now, step| {
        let mut scheduler = scheduler(cron("* * * * *", "UTC"));
        scheduler.catch_up = catch_up;
        let plan = Plan::new(&scheduler).unwrap();
        plan.due(standing, waits, Timestamp::from_millis(now), step)
    };
    let now = 61 * minute + 5_000;
    let late = 61 * minute + 10_001;
    let next = Some(Timestamp::from_millis(62 * minute));

    let one = due(CatchUp::One, false, late, 100);
    assert_eq!(one.make, millis(&[61 * minute]));
    assert_eq!((one.standing.made, one.standing.next), (2, next));
    let waits = due(CatchUp::One, true, late, 100);
    assert!(waits.make.is_empty(), "the job that waits stands for them");
    assert_eq!((waits.standing.made, waits.standing.next), (1, next));

    assert_eq!(
        due(CatchUp::Skip, false, now, 100).make,
        millis(&[61 * minute])
    );
    let skipped = due(CatchUp::Skip, false, late, 100);
    assert!(skipped.make.is_empty(), "too late");
    assert_eq!((skipped.standing.made, skipped.standing.next), (1, next));

    let all = due(CatchUp::All, true, late, 25);
    let expected: Vec<i64> = (2..27).map(|slot| slot * minute).collect();
    assert_eq!(all.make, millis(&expected), "a bounded step");
    assert_eq!(all.standing.next, Some(Timestamp::from_millis(27 * minute)));
    let all = due(CatchUp::All, false, late, 100);
    assert_eq!((all.make.len(), all.standing.next), (60, next));
}

#[test]
fn limit_and_end_stop_a_scheduler() {
    let due = |limit, end: Option<i64>, catch_up| {
        let mut scheduler = scheduler(every(10, None));
        scheduler.limit = NonZeroU64::new(limit);
        scheduler.end = end.map(Timestamp::from_millis);
        scheduler.catch_up = catch_up;
        let standing = Standing {
            made: 2,
            last: Some(Timestamp::from_millis(90)),
            next: Some(Timestamp::from_millis(100)),
        };
        let plan = Plan::new(&scheduler).unwrap();
        plan.due(standing, false, Timestamp::from_millis(155), 100)
    };
    let all = due(5, None, CatchUp::All);
    assert_eq!(
        (all.make, all.standing.next),
        (millis(&[100, 110, 120]), None)
    );
    let all = due(0, Some(130), CatchUp::All);
    assert_eq!(
        (all.make.len(), all.standing.next),
        (4, None),
        "the end is included"
    );
    let one = due(0, Some(130), CatchUp::One);
    assert_eq!((one.make, one.standing.next), (millis(&[130]), None));
    let one = due(3, None, CatchUp::One);
    assert_eq!((one.make, one.standing.next), (millis(&[150]), None));
    let over = due(2, None, CatchUp::One);
    assert_eq!((over.make.len(), over.standing.next), (0, None));
}

#[test]
fn nothing_is_due_while_the_clock_stepped_back() {
    let plan = Plan::new(&scheduler(every(10, None))).unwrap();
    let standing = Standing {
        made: 2,
        last: Some(Timestamp::from_millis(90)),
        next: Some(Timestamp::from_millis(100)),
    };
    let step = plan.due(standing, false, Timestamp::from_millis(-5_000), 100);
    assert_eq!((step.make.len(), step.standing), (0, standing));
}

#[test]
fn slots_rise_strictly_through_ten_years_of_clock_changes() {
    for zone in [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "UTC",
    ] {
        for pattern in ["30 2 * * *", "15 */3 * * *", "0 0 1 * *"] {
            let timetable = Timetable::new(&cron(pattern, zone)).unwrap();
            let first = timetable.after(at("2026-01-01T00:00:00Z")).unwrap();
            let end = at("2036-01-01T00:00:00Z");
            let (mut slot, mut count) = (first, 0);
            while slot < end {
                let next = timetable.after(slot).unwrap();
                assert!(next > slot, "{pattern} {zone}");
                slot = next;
                count += 1;
            }
            if pattern == "30 2 * * *" {
                assert_eq!(count, 3_652, "one a day in {zone}");
            }
        }
    }
}
