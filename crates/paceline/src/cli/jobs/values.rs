//! Words of the command line with a meaning of their own.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::{Backoff, CatchUp, StartLimit, State, Timestamp};

/// A state by its name.
pub(super) fn state(text: &str) -> Result<State, String> {
    State::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// `fixed:5s`, `exponential:2s`.
pub(super) fn backoff(text: &str) -> Result<Backoff, String> {
    let expected = || "expected fixed:5s or exponential:2s".to_owned();
    let (kind, base) = text.split_once(':').ok_or_else(expected)?;
    let base = crate::config::duration(base)?;
    match kind {
        "fixed" => Ok(Backoff::fixed(base)),
        "exponential" => Ok(Backoff::exponential(base)),
        _ => Err(expected()),
    }
}

/// A bound, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound<T>(pub(super) Option<T>);

/// A number of jobs, or `none`.
pub(super) fn jobs(text: &str) -> Result<Bound<NonZeroU32>, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    let number = text.parse();
    number
        .map(|number| Bound(Some(number)))
        .map_err(|_| "expected a number of jobs from 1 on, or none".to_owned())
}

/// `100/1m`, or `none`.
pub(super) fn rate(text: &str) -> Result<Bound<StartLimit>, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    let expected = || "expected jobs and a window, such as 100/1m, or none".to_owned();
    let (max, per) = text.split_once('/').ok_or_else(expected)?;
    let max = max.parse().map_err(|_| expected())?;
    let per = crate::config::duration(per)?;
    if per.is_zero() {
        return Err(expected());
    }
    Ok(Bound(Some(StartLimit { max, per })))
}

/// A duration longer than nothing.
pub(super) fn longer_than_nothing(text: &str) -> Result<Duration, String> {
    match crate::config::duration(text)? {
        Duration::ZERO => Err("expected a duration longer than zero, such as 5m".to_owned()),
        duration => Ok(duration),
    }
}

/// A point in time (RFC 3339).
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Timestamp::from_millis(time.as_millisecond()))
        .map_err(|_| "expected a time such as 2026-12-01T08:00:00Z".to_owned())
}

/// What happens to missed slots.
pub(super) fn catch_up(text: &str) -> Result<CatchUp, String> {
    match text {
        "skip" => Ok(CatchUp::Skip),
        "one" => Ok(CatchUp::One),
        "all" => Ok(CatchUp::All),
        _ => Err("expected skip, one or all".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoffs() {
        let second = Duration::from_secs(1);
        assert_eq!(backoff("fixed:1s"), Ok(Backoff::fixed(second)));
        assert_eq!(backoff("exponential:1s"), Ok(Backoff::exponential(second)));
        for bad in ["", "fixed", "1s", "linear:1s", "fixed:1", "fixed:"] {
            assert!(backoff(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bounds() {
        assert_eq!(jobs("none"), Ok(Bound(None)));
        assert_eq!(jobs("3"), Ok(Bound(NonZeroU32::new(3))));
        assert_eq!(rate("none"), Ok(Bound(None)));
        let limit = rate("100/1m").unwrap().0.unwrap();
        assert_eq!((limit.max.get(), limit.per), (100, Duration::from_mins(1)));
        for bad in ["0", "-1", "many", ""] {
            assert!(jobs(bad).is_err(), "{bad:?}");
        }
        for bad in ["0/1m", "100", "100/0s", "100/", "/1m", "100/1"] {
            assert!(rate(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(
            time("2026-12-01T08:00:00+01:00"),
            Ok(Timestamp::from_millis(1_796_108_400_000))
        );
        assert!(time("tomorrow").is_err() && time("2026-12-01").is_err());
    }
}
