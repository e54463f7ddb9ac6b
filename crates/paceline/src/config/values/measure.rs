//! A whole number with a unit.

use std::time::Duration;

use super::Invalid;

const DURATION_UNITS: [(&str, u64, &[&str]); 5] = [
    (
        "ms",
        1,
        &[
            "msec",
            "msecs",
            "milli",
            "millis",
            "millisecond",
            "milliseconds",
        ],
    ),
    ("s", 1_000, &["sec", "secs", "second", "seconds"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes"]),
    ("h", 3_600_000, &["hr", "hrs", "hour", "hours"]),
    ("d", 86_400_000, &["day", "days"]),
];

const SIZE_UNITS: [(&str, u64, &[&str]); 4] = [
    ("B", 1, &["byte", "bytes"]),
    ("KiB", 1 << 10, &["k", "kb", "kilobyte", "kilobytes"]),
    ("MiB", 1 << 20, &["m", "mb", "megabyte", "megabytes"]),
    ("GiB", 1 << 30, &["g", "gb", "gigabyte", "gigabytes"]),
];

/// Parses `500ms`, `30s`, `15m`, `2h`, `1d`.
pub(in crate::config) fn duration(text: &str) -> Result<Duration, Invalid> {
    let expected = "a duration: a whole number and one of ms, s, m, h, d, such as \"15m\"";
    measure(text, &DURATION_UNITS, expected, "s").map(Duration::from_millis)
}

/// As [`duration`], and longer than nothing.
pub(in crate::config) fn positive_duration(text: &str) -> Result<Duration, Invalid> {
    match duration(text)? {
        Duration::ZERO => Err(Invalid::expected(
            "a duration longer than zero, such as \"30s\"",
        )),
        duration => Ok(duration),
    }
}

/// Parses `512B`, `64KiB`, `16MiB`, `1GiB` into bytes.
pub(in crate::config) fn size(text: &str) -> Result<usize, Invalid> {
    let expected = "a size: a whole number and one of B, KiB, MiB, GiB, such as \"16MiB\"";
    let bytes = measure(text, &SIZE_UNITS, expected, "MiB")?;
    usize::try_from(bytes).map_err(|_| Invalid::expected(expected))
}

fn measure(
    text: &str,
    units: &[(&str, u64, &[&str])],
    expected: &str,
    usual: &str,
) -> Result<u64, Invalid> {
    let (number, unit) = split(text);
    if let Some((_, factor, _)) = units.iter().find(|(name, ..)| *name == unit)
        && let Some(value) = number
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(*factor))
    {
        return Ok(value);
    }
    let invalid = Invalid::expected(expected);
    let (number, unit) = split(text.trim());
    let Ok(number) = number.parse::<u64>() else {
        return Err(invalid);
    };

    let word = unit.trim().to_lowercase();
    let meant = units
        .iter()
        .find(|(name, _, words)| name.to_lowercase() == word || words.contains(&word.as_str()))
        .map(|(name, ..)| *name)
        .or_else(|| word.is_empty().then_some(usual));
    Err(match meant {
        Some(meant) if meant != unit => invalid.instead(format!("{number}{meant}")),
        _ => invalid,
    })
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::checks::check;
    use super::*;

    #[test]
    fn durations() {
        let millis = |n| Ok(Duration::from_millis(n));
        check(duration, "500ms", millis(500));
        check(duration, "30s", millis(30_000));
        check(duration, "15m", millis(900_000));
        check(duration, "2h", millis(7_200_000));
        check(duration, "1d", millis(86_400_000));
        check(duration, "0s", millis(0));
        check(duration, "15 minutes", Err(Some("15m")));
        check(duration, "15min", Err(Some("15m")));
        check(duration, "15", Err(Some("15s")));
        check(duration, " 2 Hours ", Err(Some("2h")));
        check(duration, "15 é", Err(None));
        check(duration, "", Err(None));
        check(duration, "soon", Err(None));
        check(duration, "-5s", Err(None));
        check(duration, "1.5h", Err(None));
        check(duration, "18446744073709551615d", Err(None));
        check(positive_duration, "0s", Err(None));
        check(positive_duration, "1ms", millis(1));
    }

    #[test]
    fn sizes() {
        check(size, "512B", Ok(512));
        check(size, "64KiB", Ok(65_536));
        check(size, "16MiB", Ok(16_777_216));
        check(size, "1GiB", Ok(1_073_741_824));
        check(size, "64kb", Err(Some("64KiB")));
        check(size, "64 MB", Err(Some("64MiB")));
        check(size, "64", Err(Some("64MiB")));
        check(size, "much", Err(None));
    }
}
