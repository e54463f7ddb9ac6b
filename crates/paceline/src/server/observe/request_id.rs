//! Request ids: the caller's when it is usable, else one of ours.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header read and answered.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id of a caller is replaced: it would go into every log line.
const MAX_LENGTH: usize = 64;

/// Makes ids that are unique over processes: a random start, counted up.
#[derive(Debug)]
pub(super) struct RequestIds {
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self {
            next: AtomicU64::new(getrandom::u64().unwrap_or_default()),
        }
    }

    pub(super) fn accept_or_make(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(HEADER) {
            Some(id) if is_usable(id.as_bytes()) => id.clone(),
            _ => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = [0u8; 16];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (number >> (60 - 4 * index)) & 0xf;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).expect("four bits")];
        }
        HeaderValue::from_bytes(&text).expect("hex digits are legal in a header")
    }
}

fn is_usable(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_of_callers_are_kept() {
        let ids = RequestIds::new();
        let given = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(text).unwrap());
            ids.accept_or_make(&headers)
        };
        assert_eq!(given("abc-123"), "abc-123");
        for bad in ["", "a b", "a\"b", &"x".repeat(65)] {
            assert_ne!(given(bad), bad);
            assert_eq!(given(bad).len(), 16);
        }
        assert_ne!(ids.make(), ids.make());
    }
}
