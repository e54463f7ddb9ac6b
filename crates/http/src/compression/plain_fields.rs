//! Fields that are true of the plain bytes only.

use http::header::{ACCEPT_RANGES, HeaderMap, HeaderName};

/// Digests of the bytes before they were encoded.
static DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Removes them from an answer that is encoded: digests of other bytes, and the offer of ranges of bytes nobody keeps.
pub(crate) fn remove_plain_fields(headers: &mut HeaderMap) {
    headers.remove(ACCEPT_RANGES);
    for digest in &DIGESTS {
        headers.remove(digest);
    }
}
