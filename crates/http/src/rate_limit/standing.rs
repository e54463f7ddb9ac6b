//! What a client has left, and the header fields that tell it.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::store::memory::Generation;
use super::window::Window;
use super::{LimitKey, Limiter, Policy, Quota, Timestamp};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Of one policy: what is left of it for one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) policy: u32,
    pub(super) remaining: u32,
    /// Whole seconds until the window ends, rounded up.
    pub(super) resets_in: u32,
    /// The window a slot was taken in.
    pub(super) slot: Option<Generation>,
}

impl Share {
    pub(super) fn new(
        policy: usize,
        window: Window,
        slot: Option<Generation>,
        quota: Quota,
        now: Timestamp,
    ) -> Self {
        let millis = window.ends_at.as_millis().saturating_sub(now.as_millis());
        Self {
            policy: u32::try_from(policy).expect("policies are counted in 32 bits by the store"),
            remaining: window.remaining(quota),
            resets_in: u32::try_from(millis.div_ceil(1_000)).expect("a window is at most 365 days"),
            slot,
        }
    }
}

pub(super) type Shares = SmallVec<[Share; 2]>;

/// What each policy that applied has left for the client.
#[derive(Debug, Clone)]
pub struct Standing {
    limiter: Limiter,
    shares: Shares,
}

impl Standing {
    pub(super) fn new(limiter: Limiter, shares: Shares) -> Self {
        Self { limiter, shares }
    }

    /// Gives back the slots of `key` in the policies that `refunds` names.
    pub(super) fn refund(&mut self, key: LimitKey, refunds: impl Fn(&Policy) -> bool) {
        for share in &mut self.shares {
            let number = share.policy as usize;
            let policy = &self.limiter.policies()[number];
            if !refunds(policy) {
                continue;
            }
            let slot = share.slot.take();
            let store = self.limiter.store();
            if let Some(window) = slot.and_then(|slot| store.refund(number, key, slot)) {
                share.remaining = window.remaining(policy.quota());
            }
        }
    }

    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    pub(super) fn policy(&self, number: u32) -> &Policy {
        &self.limiter.policies()[number as usize]
    }

    /// Each policy that applied, with the requests left in its window and the time until the window
    /// ends, in whole seconds rounded up.
    pub fn policies(&self) -> impl Iterator<Item = (&Policy, u32, Duration)> {
        self.shares.iter().map(|share| {
            let resets_in = Duration::from_secs(share.resets_in.into());
            (self.policy(share.policy), share.remaining, resets_in)
        })
    }

    /// Adds `RateLimit` and `RateLimit-Policy` with an item per policy that applied
    /// (draft-ietf-httpapi-ratelimit-headers-10); nothing when none did.
    ///
    /// Fields another limiter already wrote are kept, and these come after them.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        if self.shares.is_empty() {
            return;
        }
        headers.append(RATE_LIMIT, self.rate_limit());
        headers.append(RATE_LIMIT_POLICY, self.rate_limit_policy());
    }

    /// `"name";r=4;t=60`, comma-separated.
    fn rate_limit(&self) -> HeaderValue {
        let mut line = Line::new();
        for share in &self.shares {
            line.push_item(self.policy(share.policy).share_item());
            line.push_number(share.remaining);
            line.push(b";t=");
            line.push_number(share.resets_in);
        }
        line.into_value()
    }

    /// `"name";q=100;w=900`, comma-separated. One policy's is ready made.
    fn rate_limit_policy(&self) -> HeaderValue {
        if let [share] = self.shares.as_slice() {
            return self.policy(share.policy).item().clone();
        }
        let mut line = Line::new();
        for share in &self.shares {
            line.push_item(self.policy(share.policy).item().as_bytes());
        }
        line.into_value()
    }
}

/// Bytes of a line that fit without an allocation: the usual one to three policies.
const LINE_BYTES: usize = 128;

/// A list header under construction.
struct Line {
    start: [u8; LINE_BYTES],
    len: usize,
    /// The whole line, once it has outgrown `start`.
    long: Vec<u8>,
}

impl Line {
    fn new() -> Self {
        Self {
            start: [0; LINE_BYTES],
            len: 0,
            long: Vec::new(),
        }
    }

    fn push_item(&mut self, item: &[u8]) {
        if self.len > 0 {
            self.push(b", ");
        }
        self.push(item);
    }

    fn push_number(&mut self, number: u32) {
        self.push(itoa::Buffer::new().format(number).as_bytes());
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.start.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        } else {
            if self.long.is_empty() {
                self.long.extend_from_slice(&self.start[..self.len]);
            }
            self.long.extend_from_slice(bytes);
        }
        self.len = end;
    }

    fn into_value(self) -> HeaderValue {
        let line = if self.long.is_empty() {
            &self.start[..self.len]
        } else {
            &self.long
        };
        HeaderValue::from_bytes(line).expect("names are visible ASCII, the rest are digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_whole_whatever_its_length() {
        for width in [1, 60, 61, 62, 63, 64, 127, 128, 129, 400] {
            let item = "x".repeat(width);
            let mut line = Line::new();
            let mut expected = Vec::new();
            for number in [0, 7, u32::MAX] {
                line.push_item(item.as_bytes());
                line.push_number(number);
                expected.push(format!("{item}{number}"));
            }
            assert_eq!(line.into_value(), expected.join(", "), "{width}");
        }
    }
}
