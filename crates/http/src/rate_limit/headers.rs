//! The header fields that tell a client where it stands, in each dialect.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::standing::{Share, Standing};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const DRAFT_6: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];
const LEGACY: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// Which fields an answer carries. All of them come with `Retry-After` on a refusal.
///
/// Only the newest can tell of several policies; the others tell of the one that has the least left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HeaderDialect {
    /// `RateLimit: "api";r=4;t=60` and `RateLimit-Policy: "api";q=5;w=60`, an item for each policy:
    /// draft-ietf-httpapi-ratelimit-headers-08 to -10. The default.
    #[default]
    Draft10,
    /// `RateLimit: limit=5, remaining=4, reset=60` and `RateLimit-Policy: 5;w=60`: draft-07.
    Draft7,
    /// `RateLimit-Limit: 5`, `RateLimit-Remaining: 4`, `RateLimit-Reset: 60` and
    /// `RateLimit-Policy: 5;w=60`: draft-06.
    Draft6,
    /// `X-RateLimit-Limit: 5`, `X-RateLimit-Remaining: 4`, `X-RateLimit-Reset: 1767225600`, the reset in
    /// seconds since 1970, as express-rate-limit and GitHub have it.
    Legacy,
    /// The same with the reset in seconds from now, as @fastify/rate-limit has it.
    LegacySeconds,
    /// None.
    None,
}

impl HeaderDialect {
    /// Each dialect with the name a configuration spells it by.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Draft10, "draft-10"),
        (Self::Draft7, "draft-7"),
        (Self::Draft6, "draft-6"),
        (Self::Legacy, "legacy"),
        (Self::LegacySeconds, "legacy-seconds"),
        (Self::None, "none"),
    ];
}

/// Writes the fields of `standing`; nothing when no policy applied. `unix_seconds` is the time of day, for
/// [`HeaderDialect::Legacy`].
///
/// Fields another limiter already wrote are kept: new items come after them, and of single values the one
/// with less left stays.
pub(super) fn write(
    standing: &Standing,
    dialect: HeaderDialect,
    headers: &mut HeaderMap,
    unix_seconds: impl FnOnce() -> u64,
) {
    if standing.shares().is_empty() {
        return;
    }
    match dialect {
        HeaderDialect::None => {}
        HeaderDialect::Draft10 => {
            headers.append(RATE_LIMIT, items(standing));
            headers.append(RATE_LIMIT_POLICY, policy_items(standing));
        }
        HeaderDialect::Draft7 => {
            let share = standing.scarcest();
            let before = headers.get(&RATE_LIMIT).and_then(remaining_of_draft_7);
            if before.is_none_or(|before| share.remaining < before) {
                headers.insert(RATE_LIMIT, draft_7(standing, share));
            }
            headers.append(RATE_LIMIT_POLICY, plain_policies(standing));
        }
        HeaderDialect::Draft6 => {
            let share = standing.scarcest();
            let reset = share.resets_in.into();
            write_three(standing, share, reset, DRAFT_6, headers);
            headers.append(RATE_LIMIT_POLICY, plain_policies(standing));
        }
        HeaderDialect::Legacy => {
            let share = standing.scarcest();
            let reset = unix_seconds().saturating_add(share.resets_in.into());
            write_three(standing, share, reset, LEGACY, headers);
        }
        HeaderDialect::LegacySeconds => {
            let share = standing.scarcest();
            write_three(standing, share, share.resets_in.into(), LEGACY, headers);
        }
    }
}

fn write_three(
    standing: &Standing,
    share: &Share,
    reset: u64,
    [limit, remaining, resets]: [HeaderName; 3],
    headers: &mut HeaderMap,
) {
    let before = headers.get(&remaining).and_then(number_of);
    if before.is_some_and(|before| before <= share.remaining) {
        return;
    }
    headers.insert(limit, standing.max_of(share).into());
    headers.insert(remaining, share.remaining.into());
    headers.insert(resets, reset.into());
}

fn number_of(value: &HeaderValue) -> Option<u32> {
    value.to_str().ok()?.trim().parse().ok()
}

fn remaining_of_draft_7(value: &HeaderValue) -> Option<u32> {
    let mut parts = value.to_str().ok()?.split(',');
    parts.find_map(|part| part.trim().strip_prefix("remaining=")?.parse().ok())
}

/// `"name";r=4;t=60`, comma-separated.
fn items(standing: &Standing) -> HeaderValue {
    if let [share] = standing.shares() {
        return item(standing, share);
    }
    let mut line = Line::new();
    for share in standing.shares() {
        line.push_item(standing.policy(share.policy).share_item());
        line.push_number(share.remaining);
        line.push(b";t=");
        line.push_number(share.resets_in);
    }
    line.into_value()
}

/// The item of the one policy that most requests have, in one allocation of the right length.
fn item(standing: &Standing, share: &Share) -> HeaderValue {
    let (mut remaining, mut resets_in) = (itoa::Buffer::new(), itoa::Buffer::new());
    let parts = [
        standing.policy(share.policy).share_item(),
        remaining.format(share.remaining).as_bytes(),
        b";t=",
        resets_in.format(share.resets_in).as_bytes(),
    ];
    value(parts.concat())
}

/// `"name";q=100;w=900`, comma-separated. One policy's is ready made.
fn policy_items(standing: &Standing) -> HeaderValue {
    if let [share] = standing.shares() {
        return standing.policy(share.policy).item().clone();
    }
    let mut line = Line::new();
    for share in standing.shares() {
        line.push_item(standing.policy(share.policy).item().as_bytes());
    }
    line.into_value()
}

/// `limit=100, remaining=50, reset=50`.
fn draft_7(standing: &Standing, share: &Share) -> HeaderValue {
    let mut line = Line::new();
    line.push(b"limit=");
    line.push_number(standing.max_of(share));
    line.push(b", remaining=");
    line.push_number(share.remaining);
    line.push(b", reset=");
    line.push_number(share.resets_in);
    line.into_value()
}

/// `100;w=900`, comma-separated.
fn plain_policies(standing: &Standing) -> HeaderValue {
    let mut line = Line::new();
    for share in standing.shares() {
        line.push_item(b"");
        line.push_number(standing.max_of(share));
        line.push(b";w=");
        let window = standing.policy(share.policy).quota().window();
        line.push_number(u32::try_from(window.as_secs()).expect("a window is at most 365 days"));
    }
    line.into_value()
}

/// A list header under construction.
#[derive(Default)]
struct Line(Vec<u8>);

impl Line {
    fn new() -> Self {
        Self::default()
    }

    fn push_item(&mut self, item: &[u8]) {
        if !self.0.is_empty() {
            self.push(b", ");
        }
        self.push(item);
    }

    fn push_number(&mut self, number: u32) {
        self.push(itoa::Buffer::new().format(number).as_bytes());
    }

    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn into_value(self) -> HeaderValue {
        value(self.0)
    }
}

fn value(line: Vec<u8>) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(line))
        .expect("names are visible ASCII, the rest are digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_another_layer_wrote_are_read_without_a_panic() {
        for text in [
            "",
            "remaining=",
            "remaining=x",
            "limit=1, remaining=3, reset=2",
            "\u{e9}",
        ] {
            let value = HeaderValue::from_str(text);
            let value = value.unwrap_or_else(|_| HeaderValue::from_bytes(b"\xe9").unwrap());
            let found = remaining_of_draft_7(&value);
            assert_eq!(found, text.contains("=3").then_some(3), "{text:?}");
            assert_eq!(number_of(&value), None);
        }
    }
}
