//! Cursors: signed and opaque texts for a position in a list.
//!
//! The text is base64url without padding of: a version byte, 16 bytes that say which list it is of, the value
//! as JSON, and 16 bytes of keyed BLAKE3 over all of that. It is not encrypted: put nothing into it that the
//! client may not know.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The longest cursor that is made or read, in characters: with it a request still fits into a proxy's
/// buffers.
pub const LONGEST_CURSOR: usize = 3_072;
/// The fewest bytes of secret that [`CursorKey::derive`] takes.
pub const SHORTEST_SECRET: usize = 16;

const VERSION: u8 = 1;
const LIST_LENGTH: usize = 16;
const SIGNATURE_LENGTH: usize = 16;

/// The key cursors are signed with. Take it from the configuration, the same on every replica: a client keeps
/// its cursor over restarts.
///
/// ```
/// use paceline_http::page::CursorKey;
///
/// let key = CursorKey::derive(b"a secret from the configuration")?;
/// let text = key.sign("/posts?sort=-created", &("2026-11-25", 42))?;
/// assert_eq!(key.open::<(String, u32)>("/posts?sort=-created", &text)?, ("2026-11-25".to_owned(), 42));
/// assert!(key.open::<(String, u32)>("/posts?sort=title", &text).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key of 32 secret bytes, used for nothing else.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The key that belongs to an application's secret. Keys derived from the same secret for other purposes
    /// tell nothing about it.
    ///
    /// # Errors
    /// When the secret is shorter than [`SHORTEST_SECRET`]: it could be guessed from a cursor.
    pub fn derive(secret: &[u8]) -> Result<Self, ShortSecret> {
        if secret.len() < SHORTEST_SECRET {
            return Err(ShortSecret(()));
        }
        let purpose = "paceline-http 2026-11 page cursors v1";
        Ok(Self(blake3::derive_key(purpose, secret)))
    }

    /// The cursor for `value`, usually the sort keys of a page's last item, in the list that `list` names:
    /// all that decides which items there are and in which order.
    ///
    /// # Errors
    /// When the value has no JSON form or makes the cursor longer than [`LONGEST_CURSOR`].
    pub fn sign<T: Serialize + ?Sized>(
        &self,
        list: &str,
        value: &T,
    ) -> Result<String, UnsignableCursor> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&list_digest(list));
        serde_json::to_writer(&mut bytes, value).map_err(UnsignableCursor::no_json)?;
        let signature = self.signature(&bytes);
        bytes.extend_from_slice(&signature);
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        if text.len() > LONGEST_CURSOR {
            return Err(UnsignableCursor::too_long());
        }
        Ok(text)
    }

    /// Verifies and reads a cursor. Nothing of it is looked at before its signature holds.
    ///
    /// # Errors
    /// When it was not signed with this key, or for another list.
    pub fn open<T: DeserializeOwned>(&self, list: &str, text: &str) -> Result<T, InvalidCursor> {
        let payload = self.verified(text).ok_or(InvalidCursor::Malformed)?;
        let (own, value) = payload
            .split_at_checked(LIST_LENGTH)
            .ok_or(InvalidCursor::Malformed)?;
        if own != list_digest(list) {
            return Err(InvalidCursor::OtherList);
        }
        // It was signed here, by a version of the application whose cursors held something else.
        serde_json::from_slice(value).map_err(|_| InvalidCursor::Malformed)
    }

    /// What stands between version and signature.
    fn verified(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST_CURSOR {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let signed = bytes.len().checked_sub(SIGNATURE_LENGTH)?;
        let mut padded = [0; blake3::OUT_LEN];
        let mut expected = padded;
        padded[..SIGNATURE_LENGTH].copy_from_slice(&bytes[signed..]);
        expected[..SIGNATURE_LENGTH].copy_from_slice(&self.signature(&bytes[..signed]));
        // The comparison of hashes takes the same time wherever they differ.
        if blake3::Hash::from_bytes(padded) != blake3::Hash::from_bytes(expected) {
            return None;
        }
        bytes.truncate(signed);
        (bytes.first() == Some(&VERSION)).then(|| bytes.split_off(1))
    }

    fn signature(&self, bytes: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let hash = blake3::keyed_hash(&self.0, bytes);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }
}

fn list_digest(list: &str) -> [u8; LIST_LENGTH] {
    let hash = blake3::hash(list.as_bytes());
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(redacted)")
    }
}

/// Why a cursor is refused. As text it says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCursor {
    /// It is cut, changed, forged, or signed with another key.
    Malformed,
    /// It is sound and of another list.
    OtherList,
}

impl fmt::Display for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "The cursor is damaged or was not made by this server. Start again without it."
            }
            Self::OtherList => {
                "The cursor was made for another list: keep sort and filters as they were, or start again without it."
            }
        })
    }
}

impl std::error::Error for InvalidCursor {}

/// A secret is too short for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortSecret(());

impl fmt::Display for ShortSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a secret for cursors needs at least {SHORTEST_SECRET} bytes"
        )
    }
}

impl std::error::Error for ShortSecret {}

/// A value cannot be made a cursor.
#[derive(Debug)]
pub struct UnsignableCursor(Option<serde_json::Error>);

impl UnsignableCursor {
    fn no_json(error: serde_json::Error) -> Self {
        Self(Some(error))
    }

    fn too_long() -> Self {
        Self(None)
    }

    /// Whether the value is too long, rather than without a JSON form.
    pub fn is_too_long(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for UnsignableCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(_) => f.write_str("the value of a cursor has no JSON form"),
            None => write!(f, "the cursor is longer than {LONGEST_CURSOR} characters"),
        }
    }
}

/// 500: a cursor is made of the server's own data.
impl From<UnsignableCursor> for Problem {
    fn from(error: UnsignableCursor) -> Self {
        Self::internal(error)
    }
}

impl std::error::Error for UnsignableCursor {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}
