//! Dates and times from the text of `PostgreSQL` (its `DateStyle` `ISO`, which is the default).

use crate::cell::Moment;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// `2026-01-31`, `0044-03-15 BC`.
pub(super) fn date(text: &str) -> Option<Moment> {
    let (text, is_before) = era(text);
    let days = days(text, is_before)?;
    Some(Moment::Date(days.try_into().ok()?))
}

/// `12:30:00.5`.
pub(super) fn time(text: &str) -> Option<Moment> {
    Some(Moment::Time(of_day(text)?))
}

/// `2026-01-31 12:30:00.5`.
pub(super) fn civil(text: &str) -> Option<Moment> {
    let (text, is_before) = era(text);
    let (date, time) = text.split_once(' ')?;
    let days = days(date, is_before)?;
    Some(Moment::Civil(
        days.checked_mul(DAY)?.checked_add(of_day(time)?)?,
    ))
}

/// `2026-01-31 12:30:00.5+01`, in whatever zone the session has.
pub(super) fn instant(text: &str) -> Option<Moment> {
    let (text, is_before) = era(text);
    let (date, rest) = text.split_once(' ')?;
    let at = rest.find(['+', '-'])?;
    let (time, zone) = rest.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let mut parts = zone[1..].split(':').map(|part| digits(part, 2));
    let mut part = || parts.next().unwrap_or(Some(0));
    let offset = part()? * 3600 + part()? * 60 + part()?;
    let local = days(date, is_before)?
        .checked_mul(DAY)?
        .checked_add(of_day(time)?)?;
    Some(Moment::Instant(local.checked_sub(sign * offset * SECOND)?))
}

fn era(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    }
}

/// Days from 1970-01-01 (the algorithm of proleptic Gregorian dates, counting years from March).
fn days(text: &str, is_before: bool) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next().filter(|year| year.len() >= 4)?;
    let year = digits(year, year.len())?;
    let (month, day) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if is_before { 1 - year } else { year };
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

/// Microseconds from midnight.
fn of_day(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':').map(|part| digits(part, 2));
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let micros = match fraction.len() {
        0 => 0,
        length @ 1..=6 => {
            let missing = u32::try_from(6 - length).ok()?;
            digits(fraction, length)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let is_whole = parts.next().is_none();
    is_whole.then_some(((hours * 60 + minutes) * 60 + seconds) * SECOND + micros)
}

/// Exactly so many digits.
fn digits(text: &str, length: usize) -> Option<i64> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_we_show_them() {
        let check = |found: Option<Moment>, expected: Option<&str>| {
            assert_eq!(found.map(Moment::text).as_deref(), expected);
        };
        check(date("2026-02-28"), Some("2026-02-28"));
        check(date("0044-03-15 BC"), Some("0044-03-15 BC"));
        check(date("12026-12-31"), Some("12026-12-31"));
        check(time("24:00:00"), Some("24:00:00"));
        check(
            civil("2026-01-31 12:30:00.5"),
            Some("2026-01-31T12:30:00.5"),
        );
        check(
            civil("1969-12-31 23:59:59.999999"),
            Some("1969-12-31T23:59:59.999999"),
        );
        check(
            instant("2026-01-31 12:30:00+00"),
            Some("2026-01-31T12:30:00Z"),
        );
        check(
            instant("2026-01-01 00:30:00+01"),
            Some("2025-12-31T23:30:00Z"),
        );
        check(
            instant("2026-01-31 12:30:00-03:30"),
            Some("2026-01-31T16:00:00Z"),
        );
        check(
            instant("4713-01-01 00:00:00+00 BC"),
            Some("4713-01-01T00:00:00Z BC"),
        );
        for other in [
            "",
            "infinity",
            "31.01.2026",
            "2026-13-01",
            "2026-1-1",
            "01/31/2026",
        ] {
            check(date(other), None);
        }
        for other in [
            "2026-01-31",
            "2026-01-31 12:30",
            "2026-01-31 12:30:00.1234567",
        ] {
            check(civil(other), None);
        }
    }
}
