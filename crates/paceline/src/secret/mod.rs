//! The one secret of a service, the keys derived from it, and the hashes of keys others hold.

mod api_key;
mod file;
mod state;

use std::fmt;

pub use api_key::{KEY_PREFIX, KeyHash, NoKeyHash, key_of};
pub use file::{KeyFileError, load_or_create};
pub use state::{key_file_of, state_folder};

/// A passphrase shorter than this is refused: it could be guessed offline from a cursor.
pub(crate) const SHORTEST_PASSPHRASE: usize = 32;

/// 32 secret bytes. They are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// A text is too short for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is too short: a secret needs 64 hexadecimal digits or a passphrase of at least {SHORTEST_PASSPHRASE} characters"
)]
pub struct SecretTooShort;

impl Secret {
    /// The secret of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 64 hexadecimal digits are the secret itself; any other text of at least 32 characters is a
    /// passphrase it is derived from.
    pub fn from_text(text: &str) -> Result<Self, SecretTooShort> {
        let text = text.trim();
        if let Some(bytes) = from_hex(text) {
            return Ok(Self(bytes));
        }
        if text.chars().count() < SHORTEST_PASSPHRASE {
            return Err(SecretTooShort);
        }
        Ok(Self(blake3::derive_key(
            "paceline 2026-11 secret from a passphrase",
            text.as_bytes(),
        )))
    }

    /// The key for one purpose. Keys of different purposes tell nothing about each other.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }

    /// The secret as it stands in a key file.
    fn to_hex(&self) -> String {
        use fmt::Write as _;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes everything");
                text
            })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_digits_a_long_passphrase_or_refused() {
        let digits = "00ff".repeat(16);
        assert_eq!(Secret::from_text(&digits).unwrap().to_hex(), digits);
        assert!(Secret::from_text("a passphrase that is long enough to be taken").is_ok());
        assert_eq!(Secret::from_text("short"), Err(SecretTooShort));
    }

    #[test]
    fn purposes_have_keys_of_their_own_and_nothing_is_printed() {
        let secret = Secret::new([7; 32]);
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
    }
}
