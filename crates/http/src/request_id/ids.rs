//! Ids: which are accepted, and how new ones are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header read and answered.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most bytes of a caller's id; a longer one is replaced: it would go into every log line.
pub const MAX_LENGTH: usize = 64;

/// Bytes of an id that is made here: a number of 64 bits in hexadecimal.
const MADE_LENGTH: usize = 16;

/// Ids that share one allocation. An id that is kept for long keeps so many times 16 bytes.
const BLOCK: usize = 16;

/// Gives requests their ids. Clones count on together: no two of them make the same one.
///
/// Made ids begin at a random number and are counted up, so those of several processes differ as well.
///
/// ```
/// use http::HeaderMap;
/// use paceline_http::request_id::{RequestIds, X_REQUEST_ID};
///
/// let mut ids = RequestIds::new();
/// let mut headers = HeaderMap::new();
/// let id = ids.identify(&mut headers);
/// assert_eq!(headers[X_REQUEST_ID], id);
/// ```
#[derive(Debug)]
pub struct RequestIds {
    next: Arc<AtomicU64>,
    /// What is left of the block under way. Each clone has its own, so nobody waits for it.
    block: BytesMut,
}

impl RequestIds {
    /// Ids that follow a random one.
    pub fn new() -> Self {
        Self {
            next: Arc::new(AtomicU64::new(getrandom::u64().unwrap_or_default())),
            block: BytesMut::new(),
        }
    }

    /// The id of the request with these headers, which is in them from then on, on one line: the caller's first if it
    /// has 1 to [`MAX_LENGTH`] letters, digits and `-_.:`, else a new one.
    pub fn identify(&mut self, headers: &mut HeaderMap) -> HeaderValue {
        match headers.entry(X_REQUEST_ID) {
            Entry::Occupied(mut given) => {
                let first = given.get();
                let is_kept = is_usable(first.as_bytes());
                let id = if is_kept { first.clone() } else { self.make() };
                if !is_kept || given.iter().nth(1).is_some() {
                    given.insert(id.clone());
                }
                id
            }
            Entry::Vacant(place) => place.insert(self.make()).clone(),
        }
    }

    fn make(&mut self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if self.block.capacity() < MADE_LENGTH {
            self.block = BytesMut::with_capacity(BLOCK * MADE_LENGTH);
        }
        self.block.extend_from_slice(&hexadecimal(number));
        let text: Bytes = self.block.split().freeze();
        HeaderValue::from_maybe_shared(text).expect("hex digits are legal in a header")
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for RequestIds {
    fn clone(&self) -> Self {
        Self {
            next: Arc::clone(&self.next),
            block: BytesMut::new(),
        }
    }
}

/// The two digits of each byte.
static DIGITS: [[u8; 2]; 256] = {
    let digit = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [digit[byte >> 4], digit[byte & 0xf]];
        byte += 1;
    }
    pairs
};

fn hexadecimal(number: u64) -> [u8; MADE_LENGTH] {
    let mut text = [0; MADE_LENGTH];
    for (pair, byte) in text.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&DIGITS[usize::from(byte)]);
    }
    text
}

fn is_usable(id: &[u8]) -> bool {
    let is_harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(is_harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_of_callers_are_kept() {
        let mut ids = RequestIds::new();
        let mut check = |lines: &[&str], is_kept: bool| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_REQUEST_ID, HeaderValue::from_str(line).unwrap());
            }
            let id = ids.identify(&mut headers);
            let found: Vec<_> = headers.get_all(X_REQUEST_ID).iter().collect();
            assert_eq!(found, [&id], "{lines:?}");
            assert_eq!(
                lines.first().is_some_and(|line| id == line),
                is_kept,
                "{lines:?}"
            );
            if !is_kept {
                assert_eq!(id.len(), MADE_LENGTH, "{lines:?}");
            }
        };
        check(&["abc-123"], true);
        check(&["7f:A_b.9"], true);
        check(&[&"x".repeat(MAX_LENGTH)], true);
        check(&[], false);
        for bad in ["", "a b", "a\"b", "a,b", &"x".repeat(MAX_LENGTH + 1)] {
            check(&[bad], false);
        }
        check(&["one", "two"], true);
        check(&["a b", "two"], false);
    }

    #[test]
    fn made_ids_count_up_over_blocks_and_clones() {
        let mut ids = RequestIds::new();
        ids.next.store(u64::MAX - 1, Ordering::Relaxed);
        let mut clone = ids.clone();
        let mut made = Vec::new();
        for _ in 0..=BLOCK {
            made.push(ids.make());
            made.push(clone.make());
        }
        assert_eq!(made[0], "fffffffffffffffe");
        assert_eq!(made[1], "ffffffffffffffff");
        for (number, id) in (0u64..).zip(&made[2..]) {
            assert_eq!(*id, format!("{number:016x}"));
        }
    }
}
