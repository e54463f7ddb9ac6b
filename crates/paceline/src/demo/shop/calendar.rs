//! Moments as the shop stores them: RFC 3339 text in UTC, to the second.

use jiff::Timestamp;

/// 2018-01-01T00:00:00Z, before the first user.
const OPENING: i64 = 1_514_764_800;

/// 2026-07-01T00:00:00Z, after the last post.
const CLOSING: i64 = 1_782_864_000;

/// When user number `index` of `count` came: in order, over the first three years.
pub(super) fn arrival(index: u32, count: u32, jitter: u32) -> String {
    moment(OPENING, OPENING + 3 * 365 * 86_400, index, count, jitter)
}

/// When post number `index` of `count` was written: in order, over the years after the arrivals.
pub(super) fn writing(index: u32, count: u32, jitter: u32) -> String {
    moment(OPENING + 3 * 365 * 86_400, CLOSING, index, count, jitter)
}

/// When product number `index` of `count` was last changed: within the last year.
pub(super) fn change(index: u32, count: u32, jitter: u32) -> String {
    moment(CLOSING - 365 * 86_400, CLOSING, index, count, jitter)
}

/// The moment in the `index`th of `count` equal parts of a span; `jitter` moves it within the part.
fn moment(from: i64, to: i64, index: u32, count: u32, jitter: u32) -> String {
    let (span, index, count) = (to - from, i64::from(index), i64::from(count));
    let part = (span / count).max(1);
    let second = from + span * index / count + i64::from(jitter) % part;
    Timestamp::from_second(second)
        .expect("the years of the shop are in range")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_order_and_end_before_the_closing() {
        assert_eq!(arrival(0, 10_000, 0), "2018-01-01T00:00:00Z");
        assert_eq!(writing(0, 100_000, 0), "2020-12-31T00:00:00Z");
        assert!(writing(7, 100_000, u32::MAX) < writing(8, 100_000, 0));
        let last = writing(99_999, 100_000, u32::MAX);
        assert!(last.starts_with("2026-06-30T"), "{last}");
        assert!(change(0, 1_000, 0).starts_with("2025-07-01T"));
    }
}
