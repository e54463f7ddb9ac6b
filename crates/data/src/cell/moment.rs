//! Dates and times, written as ISO 8601 has them.
//!
//! PostgreSQL holds years that neither `jiff` nor RFC 3339 know (4713 BC to 294276 AD), so days are counted here.
//! A year above 9999 is written with all its digits and one before the first with ` BC` behind, as PostgreSQL
//! does. Fractions of a second have no zeros at their end.

use std::fmt::Write as _;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A date, a time of day, or both. Counts begin at 1970-01-01T00:00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Days: `2026-01-31`.
    Date(i32),
    /// Microseconds since midnight: `12:30:00.5`.
    Time(i64),
    /// Microseconds of a clock on the wall: `2026-01-31T12:30:00`.
    Civil(i64),
    /// Microseconds in UTC: `2026-01-31T12:30:00Z`.
    Instant(i64),
}

impl Moment {
    /// Its text.
    pub(crate) fn text(self) -> String {
        let mut text = String::with_capacity(32);
        match self {
            Self::Date(days) => {
                let before = write_date(i64::from(days), &mut text);
                text.push_str(before);
            }
            Self::Time(time) => write_time(time, &mut text),
            Self::Civil(moment) => write_both(moment, "", &mut text),
            Self::Instant(moment) => write_both(moment, "Z", &mut text),
        }
        text
    }
}

fn write_both(moment: i64, zone: &str, text: &mut String) {
    let before = write_date(moment.div_euclid(DAY), text);
    text.push('T');
    write_time(moment.rem_euclid(DAY), text);
    text.push_str(zone);
    text.push_str(before);
}

/// Writes year, month and day; answers what stands behind the whole.
fn write_date(days: i64, text: &mut String) -> &'static str {
    let (year, month, day) = civil(days);
    let (year, before) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    if year < 10_000 {
        write_two(year / 100, text);
        write_two(year % 100, text);
    } else {
        let _ = write!(text, "{year}");
    }
    text.push('-');
    write_two(month, text);
    text.push('-');
    write_two(day, text);
    before
}

fn write_time(time: i64, text: &mut String) {
    let seconds = time / SECOND;
    write_two(seconds / 3600, text);
    text.push(':');
    write_two(seconds / 60 % 60, text);
    text.push(':');
    write_two(seconds % 60, text);
    let fraction = time % SECOND;
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
}

/// Writes a number with two digits, or those it has: MySQL's times are spans, of up to 838 hours. Each row of a page
/// has its moments: the formatter takes longer for them than everything else about the row.
fn write_two(number: i64, text: &mut String) {
    if number >= 100 {
        let _ = write!(text, "{number}");
        return;
    }
    for digit in [number / 10, number % 10] {
        let digit = u8::try_from(digit).unwrap_or_default();
        text.push(char::from(b'0' + digit));
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar continued backwards; the
/// year before the year 1 is 0. Years are counted from March, so that a leap day ends one.
fn civil(days: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    let days = days + 719_468;
    let cycle = days.div_euclid(CYCLE);
    let day = days.rem_euclid(CYCLE);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + cycle * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(moment: Moment, expected: &str) {
        assert_eq!(moment.text(), expected);
    }

    #[test]
    fn moments_are_written_as_iso_8601() {
        check(Moment::Date(0), "1970-01-01");
        check(Moment::Date(-1), "1969-12-31");
        check(Moment::Date(11_016), "2000-02-29");
        check(Moment::Time(0), "00:00:00");
        check(Moment::Time(45_000_500_000), "12:30:00.5");
        check(Moment::Time(DAY), "24:00:00");
        check(Moment::Time(360_000 * SECOND), "100:00:00");
        check(Moment::Time(3_020_399 * SECOND), "838:59:59");
        check(Moment::Civil(1), "1970-01-01T00:00:00.000001");
        check(Moment::Civil(-1), "1969-12-31T23:59:59.999999");
        check(
            Moment::Instant(1_767_225_600 * SECOND),
            "2026-01-01T00:00:00Z",
        );
    }

    #[test]
    fn years_beyond_four_digits_are_written_as_postgresql_does() {
        check(Moment::Date(2_932_897), "10000-01-01");
        check(Moment::Date(-719_163), "0001-12-31 BC");
        check(Moment::Instant(-719_163 * DAY), "0001-12-31T00:00:00Z BC");
    }

    proptest! {
        #[test]
        fn every_day_is_the_calendars(days in -719_162i32..2_932_897) {
            let date = jiff::civil::date(1970, 1, 1)
                .checked_add(jiff::Span::new().days(days))
                .unwrap();
            prop_assert_eq!(Moment::Date(days).text(), date.to_string());
        }
    }
}
