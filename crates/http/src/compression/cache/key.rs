//! What an encoded body is found by.

use http::header::{CONTENT_TYPE, ETAG, HOST};
use http::{HeaderMap, HeaderValue};

use crate::coding::Coding;
use crate::conditional::EntityTagRef;

/// What an encoded body is found by. The hash is keyed with randomness of this process: a client that chooses a body
/// cannot make one that is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyedBy {
    /// The bytes before encoding. Always right; costs a hash of the body (about 1 GB/s).
    #[default]
    Content,
    /// The strong `ETag` with host, path, query, type and length; bodies without one are found by their bytes. Right only
    /// where the service never gives one tag to two bodies of a URL.
    Validator,
}

/// A hash and the coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    hash: [u8; 32],
    pub(super) coding: Coding,
}

/// Makes keys: those of contents and those of validators under secrets of their own, so that neither is taken for the
/// other.
#[derive(Debug)]
pub(super) struct Keyring {
    contents: [u8; 32],
    validators: [u8; 32],
    by: KeyedBy,
}

/// The parts of a request that a validator is about.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    host: Option<HeaderValue>,
    target: String,
}

impl Address {
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let host = request.uri().host().map(HeaderValue::from_str);
        Self {
            host: host
                .and_then(Result::ok)
                .or_else(|| request.headers().get(HOST).cloned()),
            target: target.to_owned(),
        }
    }
}

impl Keyring {
    /// # Panics
    ///
    /// When the system has no randomness.
    pub(super) fn new(by: KeyedBy) -> Self {
        let secret = || {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).expect("the system has randomness");
            secret
        };
        Self {
            contents: secret(),
            validators: secret(),
            by,
        }
    }

    pub(super) fn by(&self) -> KeyedBy {
        self.by
    }

    pub(super) fn key(
        &self,
        coding: Coding,
        address: Option<&Address>,
        response: &HeaderMap,
        body: &[u8],
    ) -> Key {
        let hash = self
            .of_validator(address, response, body.len())
            .unwrap_or_else(|| *blake3::keyed_hash(&self.contents, body).as_bytes());
        Key { hash, coding }
    }

    fn of_validator(
        &self,
        address: Option<&Address>,
        response: &HeaderMap,
        length: usize,
    ) -> Option<[u8; 32]> {
        if self.by != KeyedBy::Validator {
            return None;
        }
        let address = address?;
        let tag = EntityTagRef::parse(response.get(ETAG)?.as_bytes()).ok()?;
        if tag.is_weak() {
            return None;
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.validators);
        // Each part with its length, so that no two lists of parts are hashed alike.
        for part in [
            bytes(address.host.as_ref()),
            address.target.as_bytes(),
            bytes(response.get(CONTENT_TYPE)),
            tag.opaque(),
            &(length as u64).to_le_bytes(),
        ] {
            hasher
                .update(&(part.len() as u64).to_le_bytes())
                .update(part);
        }
        Some(*hasher.finalize().as_bytes())
    }
}

fn bytes(value: Option<&HeaderValue>) -> &[u8] {
    value.map_or(b"", HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path: &str) -> Address {
        Address::of(&http::Request::get(path).body(()).unwrap())
    }

    fn tagged(tag: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ETAG, HeaderValue::from_static(tag))])
    }

    #[test]
    fn content_alone_decides_unless_a_strong_tag_may() {
        let check = |by: KeyedBy,
                     one: (&str, &'static str, &[u8]),
                     two: (&str, &'static str, &[u8]),
                     same: bool| {
            let keyring = Keyring::new(by);
            let key = |(path, tag, body): (&str, &'static str, &[u8])| {
                keyring.key(Coding::Gzip, Some(&address(path)), &tagged(tag), body)
            };
            assert_eq!(key(one) == key(two), same, "{by:?} {one:?} {two:?}");
        };
        let content = KeyedBy::Content;
        check(content, ("/a", "\"1\"", b"x"), ("/b", "\"2\"", b"x"), true);
        check(content, ("/a", "\"1\"", b"x"), ("/a", "\"1\"", b"y"), false);
        let validator = KeyedBy::Validator;
        check(
            validator,
            ("/a", "\"1\"", b"x"),
            ("/a", "\"1\"", b"y"),
            true,
        );
        check(
            validator,
            ("/a", "\"1\"", b"x"),
            ("/b", "\"1\"", b"x"),
            false,
        );
        check(
            validator,
            ("/a", "\"1\"", b"x"),
            ("/a", "\"2\"", b"x"),
            false,
        );
        check(
            validator,
            ("/a", "W/\"1\"", b"x"),
            ("/a", "W/\"1\"", b"y"),
            false,
        );
        check(
            validator,
            ("/a?q", "\"1\"", b"x"),
            ("/a", "\"1\"", b"x"),
            false,
        );
    }

    #[test]
    fn two_processes_hash_differently() {
        let key =
            || Keyring::new(KeyedBy::Content).key(Coding::Gzip, None, &HeaderMap::new(), b"x");
        assert_ne!(key(), key());
    }
}
