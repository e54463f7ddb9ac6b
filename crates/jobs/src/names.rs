//! Names and ids: queue names, job ids, lease tokens. Checked once, trusted afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A name or id that cannot be used; says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {reason}")]
pub struct InvalidName {
    what: &'static str,
    reason: &'static str,
}

/// Checks text that stands in no key: no control characters, 1 to `max` bytes.
pub(crate) fn check_text(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let reason = if text.is_empty() {
        "must not be empty"
    } else if text.len() > max {
        "is too long"
    } else if text.chars().any(char::is_control) {
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(InvalidName { what, reason })
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    if text.contains(':') {
        let reason = "must not contain a colon";
        return Err(InvalidName { what, reason });
    }
    check_text(what, text, max)
}

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The name of a queue: 1 to 128 bytes, no colon, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct QueueName(Arc<str>);
text_type!(QueueName);

impl QueueName {
    /// Checks `name`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
        check("the queue name", name.as_ref(), 128)?;
        Ok(Self(name.as_ref().into()))
    }
}

/// A job's id, unique in its queue. Unless the caller chose one: 32 lower-case hexadecimal digits, the first 12
/// the time it was made in milliseconds, the others random. Ids made one after the other stand beside each
/// other in an index, which makes adds and removals several times cheaper in a long queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobId(Arc<str>);
text_type!(JobId);

impl JobId {
    /// A fresh id nobody can guess: 80 random bits behind `now`.
    pub fn fresh(now: Timestamp) -> Self {
        let mut bytes = random_bytes();
        bytes[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
        Self(hexadecimal(bytes).into())
    }

    /// An id of the caller's own: 1 to 255 bytes, no colon, no control characters, not a whole number
    /// (BullMQ keeps numbers for itself).
    pub fn custom(id: impl AsRef<str>) -> Result<Self, InvalidName> {
        let id = id.as_ref();
        check("the job id", id, 255)?;
        if id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidName {
                what: "the job id",
                reason: "must not be a whole number",
            });
        }
        Ok(Self(id.into()))
    }

    /// An id to look a job up by: anything a store may hold, checked by no rule.
    pub fn lookup(id: impl AsRef<str>) -> Self {
        Self(id.as_ref().into())
    }
}

/// A group of jobs in a queue, such as one customer's: 1 to 128 bytes, no colon, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupName(Arc<str>);
text_type!(GroupName);

impl GroupName {
    /// Checks `name`.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
        check("the group", name.as_ref(), 128)?;
        Ok(Self(name.as_ref().into()))
    }
}

/// A scheduler's id, unique in its queue: 1 to 200 bytes, no colon, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SchedulerId(Arc<str>);
text_type!(SchedulerId);

impl SchedulerId {
    /// Checks `id`.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidName> {
        check("the scheduler id", id.as_ref(), 200)?;
        Ok(Self(id.as_ref().into()))
    }

    /// An id to look a scheduler up by: anything a store may hold.
    pub fn lookup(id: impl AsRef<str>) -> Self {
        Self(id.as_ref().into())
    }
}

/// Who holds a lease: random text drawn by each worker at start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseToken(Arc<str>);
text_type!(LeaseToken);

impl LeaseToken {
    /// A fresh token.
    pub fn random() -> Self {
        Self(random_text().into())
    }
}

/// Marks a request, so that a repeat of an idempotency key can be told from another request under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint (BLAKE3) of the request's bytes.
    pub fn of(request: &[u8]) -> Self {
        Self(*blake3::hash(request).as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// 128 random bits, lower-case hexadecimal.
fn random_text() -> String {
    hexadecimal(random_bytes())
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// A random number in 0 to 1, for jitter.
pub(crate) fn random_fraction() -> f64 {
    let bits = getrandom::u32().expect("the operating system gives random bytes");
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["emails", "a b", "ünïcode", "x/y"] {
            assert!(QueueName::new(good).is_ok(), "{good:?}");
        }
        for bad in ["", "a:b", "a\nb", &"x".repeat(129)] {
            assert!(QueueName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "17", "a:b", &"x".repeat(256)] {
            assert!(JobId::custom(bad).is_err(), "{bad:?}");
        }
        assert_eq!(JobId::custom("order-17").unwrap().as_str(), "order-17");
    }

    #[test]
    fn random_ids_are_32_lower_case_digits_and_differ() {
        let now = Timestamp::from_millis(0x019a_bcde_f012);
        let (one, two) = (JobId::fresh(now), JobId::fresh(now));
        assert!(one.as_str().starts_with("019abcdef012"), "{one}");
        let later = JobId::fresh(Timestamp::from_millis(0x019a_bcde_f013));
        assert!(
            later > one && later > two,
            "later ids stand behind earlier ones"
        );
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), 32);
        assert!(
            one.as_str()
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );
    }
}
