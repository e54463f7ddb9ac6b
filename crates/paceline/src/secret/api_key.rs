//! Keys that programs send instead of logging in.
//!
//! A key is 32 random bytes, so nobody can guess it, and a fast hash hides it as well as a slow one: a slow hash makes
//! each guess dear, which matters for passwords, of which few are likely, and not among 2^256 that all are as likely.
//! With a fast one a request costs a microsecond and no attacker can make the server work by sending wrong keys. The
//! hash is SHA-256 because any tool can compute it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every key begins with: people and scanners of leaked secrets know it by that.
pub const KEY_PREFIX: &str = "plk_";

/// Characters after the prefix: 32 bytes as base64url.
const LENGTH: usize = 43;

/// What is kept of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

/// The text is not the hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not sha256: and 64 hexadecimal digits")]
pub struct NoKeyHash;

/// A new key from 32 bytes, which must be random.
pub fn key_of(random: [u8; 32]) -> String {
    let mut key = KEY_PREFIX.to_owned();
    URL_SAFE_NO_PAD.encode_string(random, &mut key);
    key
}

impl KeyHash {
    /// The hash of a key; `None` for what has not the form of one.
    pub fn of(key: &str) -> Option<Self> {
        let body = key.strip_prefix(KEY_PREFIX)?;
        let formed = body.len() == LENGTH
            && body
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        formed.then(|| Self(Sha256::digest(key.as_bytes()).into()))
    }

    /// Whether they are the same, in a time that tells nothing of where they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash([redacted])")
    }
}

impl FromStr for KeyHash {
    type Err = NoKeyHash;

    fn from_str(text: &str) -> Result<Self, NoKeyHash> {
        let digits = text.strip_prefix("sha256:").ok_or(NoKeyHash)?;
        super::from_hex(digits).map(Self).ok_or(NoKeyHash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash_alone() {
        let key = key_of([7; 32]);
        assert_eq!(key.len(), KEY_PREFIX.len() + LENGTH);
        let hash = KeyHash::of(&key).unwrap();
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!(hash.is(&KeyHash::of(&key).unwrap()));
        assert!(!hash.is(&KeyHash::of(&key_of([8; 32])).unwrap()));
        assert_eq!(format!("{hash:?}"), "KeyHash([redacted])");
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_not_hashed() {
        let key = key_of([7; 32]);
        for other in [
            "",
            "plk_",
            "x",
            &key[1..],
            &format!("{key}A"),
            &key.replace('B', "="),
        ] {
            assert_eq!(KeyHash::of(other), None, "{other}");
        }
        assert_eq!("sha256:12".parse::<KeyHash>(), Err(NoKeyHash));
        assert_eq!("00".repeat(32).parse::<KeyHash>(), Err(NoKeyHash));
    }
}
