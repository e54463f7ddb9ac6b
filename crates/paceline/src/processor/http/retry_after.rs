//! `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.

use std::time::{Duration, SystemTime};

use http::HeaderValue;

/// The shortest wait: a target that says 0 is not asked again in a loop.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest wait; a target that says more is asked again then.
const LONGEST: Duration = Duration::from_hours(1);

/// The wait asked for, within bounds; `None` when the value is neither seconds nor a date.
pub(super) fn wait(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        until.duration_since(now).unwrap_or(Duration::ZERO)
    };
    Some(wait.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let found = wait(&HeaderValue::from_str(text).unwrap(), now);
        assert_eq!(found, expected.map(Duration::from_secs), "{text:?}");
    }

    #[test]
    fn seconds_and_dates_are_taken_within_bounds() {
        check("120", Some(120));
        check("0", Some(1));
        check("86400", Some(3_600));
        check("99999999999999999999", Some(3_600));
        check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(1));
        check("Mon, 06 Nov 1995 08:49:37 GMT", Some(3_600));
        for bad in ["", "soon", "-5", "1.5", "5 s"] {
            check(bad, None);
        }
    }
}
