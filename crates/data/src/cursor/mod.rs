//! Positions in a list, signed and opaque.
//!
//! A cursor holds the sort-key values of one row and a direction. It is bound to the table, order
//! and filters it was made for, and signed: a client can keep it, over restarts and on another
//! server with the same secret, but not change it or use it elsewhere. It is not encrypted: the
//! values in it are ones the client has seen or may ask for.
//!
//! The text is base64url without padding of: a version byte, a direction byte, 16 bytes of the
//! [`Binding`], the values, and 16 bytes of keyed BLAKE3 over all of that.

mod values;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::statement::Value;

/// The longest cursor that is made or read, in characters.
pub const LONGEST_CURSOR: usize = 3072;

const VERSION: u8 = 1;
const BINDING_LENGTH: usize = 16;
const MAC_LENGTH: usize = 16;
const HEADER_LENGTH: usize = 2 + BINDING_LENGTH;

/// The key cursors are signed with.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key of 32 secret bytes, used for nothing else.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The cursor key that belongs to an application's secret. Keys derived from the same secret
    /// for other purposes tell nothing about it.
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key(
            "paceline 2026-11 cursor signing v1",
            secret,
        ))
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(redacted)")
    }
}

/// What a cursor belongs to: a digest of table, order and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; BINDING_LENGTH]);

impl Binding {
    /// The binding for a canonical description of table, order and filters.
    pub fn of(description: &blake3::Hash) -> Self {
        let mut bytes = [0; BINDING_LENGTH];
        bytes.copy_from_slice(&description.as_bytes()[..BINDING_LENGTH]);
        Self(bytes)
    }
}

/// Which way to read from a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The rows behind it.
    Forward,
    /// The rows before it.
    Backward,
}

/// A position: the sort-key values of a row, which need not exist any more, and a direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// Which way to read.
    pub direction: Direction,
    /// One value for each key of the order, the tie-breaker's too.
    pub values: Vec<Value>,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// It is cut, changed, forged, or signed with another key.
    #[error("The cursor is damaged or was not made by this server. Start again without it.")]
    Malformed,
    /// It is sound but belongs to another table, order or filter.
    #[error(
        "The cursor was made for another list: keep sort and filters as they were, or start again without it."
    )]
    OtherQuery,
}

impl Cursor {
    /// The signed text; `None` when the values make it longer than [`LONGEST_CURSOR`].
    pub fn encode(&self, key: &CursorKey, binding: &Binding) -> Option<String> {
        let mut bytes = vec![VERSION, u8::from(self.direction == Direction::Backward)];
        bytes.extend_from_slice(&binding.0);
        for value in &self.values {
            values::write(value, &mut bytes);
        }
        bytes.extend_from_slice(&mac(key, &bytes));
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        (text.len() <= LONGEST_CURSOR).then_some(text)
    }

    /// Verifies and reads a cursor. Nothing of it is looked at before its signature holds.
    ///
    /// # Errors
    /// When it is not one of ours, or not for this list.
    pub fn decode(key: &CursorKey, binding: &Binding, text: &str) -> Result<Self, CursorError> {
        if text.len() > LONGEST_CURSOR {
            return Err(CursorError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Malformed)?;
        let signed = bytes
            .len()
            .checked_sub(MAC_LENGTH)
            .ok_or(CursorError::Malformed)?;
        let (payload, signature) = bytes.split_at(signed);
        if !bool::from(mac(key, payload).ct_eq(signature)) {
            return Err(CursorError::Malformed);
        }
        let (header, mut rest) = payload
            .split_at_checked(HEADER_LENGTH)
            .ok_or(CursorError::Malformed)?;
        let direction = match header[..2] {
            [VERSION, 0] => Direction::Forward,
            [VERSION, 1] => Direction::Backward,
            _ => return Err(CursorError::Malformed),
        };
        if header[2..] != binding.0 {
            return Err(CursorError::OtherQuery);
        }
        let mut values = Vec::new();
        while !rest.is_empty() {
            values.push(values::read(&mut rest).ok_or(CursorError::Malformed)?);
        }
        Ok(Self { direction, values })
    }
}

fn mac(key: &CursorKey, payload: &[u8]) -> [u8; MAC_LENGTH] {
    let mut mac = [0; MAC_LENGTH];
    mac.copy_from_slice(&blake3::keyed_hash(&key.0, payload).as_bytes()[..MAC_LENGTH]);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::derive(b"secret")
    }

    fn binding(of: &str) -> Binding {
        Binding::of(&blake3::hash(of.as_bytes()))
    }

    fn cursor() -> Cursor {
        Cursor {
            direction: Direction::Forward,
            values: vec![Value::Text("a".to_owned()), Value::Integer(7)],
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>()
                .prop_filter("not comparable", |real| !real.is_nan())
                .prop_map(Value::Real),
            ".{0,20}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Blob),
            proptest::collection::vec(128..255u8, 1..20).prop_map(Value::RawText),
        ]
    }

    #[test]
    fn trap_14_a_cursor_holds_over_restarts() {
        let text = cursor().encode(&key(), &binding("a")).unwrap();
        assert!(text.starts_with("AQA"), "version 1, forward: {text}");
        assert_eq!(
            Cursor::decode(&CursorKey::derive(b"secret"), &binding("a"), &text),
            Ok(cursor())
        );
    }

    /// Trap 14 of the HTTP reference.
    #[test]
    fn trap_14_another_key_list_or_text_is_refused() {
        let text = cursor().encode(&key(), &binding("a")).unwrap();
        let decode = |key: &CursorKey, binding: &Binding, text: &str| {
            Cursor::decode(key, binding, text).unwrap_err()
        };
        assert_eq!(
            decode(&CursorKey::derive(b"other"), &binding("a"), &text),
            CursorError::Malformed
        );
        assert_eq!(
            decode(&key(), &binding("b"), &text),
            CursorError::OtherQuery
        );
        let long = "A".repeat(LONGEST_CURSOR + 1);
        for wrong in [
            "",
            "!",
            "AAAA",
            &text[1..],
            &format!("{text}="),
            &format!("{text}A"),
            &long,
        ] {
            assert_eq!(
                decode(&key(), &binding("a"), wrong),
                CursorError::Malformed,
                "{wrong}"
            );
        }
        for end in 0..text.len() {
            assert_eq!(
                decode(&key(), &binding("a"), &text[..end]),
                CursorError::Malformed
            );
        }
    }

    #[test]
    fn trap_14_a_changed_byte_is_noticed_everywhere() {
        let text = cursor().encode(&key(), &binding("a")).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(&changed);
            assert_eq!(
                Cursor::decode(&key(), &binding("a"), &changed),
                Err(CursorError::Malformed),
                "byte {at}"
            );
        }
    }

    #[test]
    fn too_long_values_make_no_cursor() {
        let cursor = Cursor {
            direction: Direction::Forward,
            values: vec![Value::Text("x".repeat(LONGEST_CURSOR))],
        };
        assert_eq!(cursor.encode(&key(), &binding("a")), None);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(
            format!("{:?}", CursorKey::new([7; 32])),
            "CursorKey(redacted)"
        );
    }

    proptest! {
        #[test]
        fn values_come_back_exactly(values in proptest::collection::vec(any_value(), 0..6), backward: bool) {
            let direction = if backward { Direction::Backward } else { Direction::Forward };
            let cursor = Cursor { direction, values };
            let text = cursor.encode(&key(), &binding("a")).unwrap();
            prop_assert_eq!(Cursor::decode(&key(), &binding("a"), &text), Ok(cursor));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".{0,100}") {
            prop_assert!(Cursor::decode(&key(), &binding("a"), &text).is_err());
        }
    }
}
