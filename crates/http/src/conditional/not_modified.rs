//! Which fields of the 200 go out with the 304 in its place.

use http::HeaderMap;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderName, LAST_MODIFIED, TRAILER, TRANSFER_ENCODING,
};

/// What describes the body that a 304 does not have.
static BODY_METADATA: [HeaderName; 11] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_RANGE,
    ACCEPT_RANGES,
    TRANSFER_ENCODING,
    TRAILER,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Turns the header fields of a 200 into those of its 304 (RFC 9110, 15.4.5).
///
/// What describes the missing body goes; `ETag`, `Vary`, `Cache-Control`, `Expires`, `Content-Location` and
/// `Date` stay, and so does everything that is not about the body (CORS, cookies, request ids). `Last-Modified`
/// stays only where there is no tag.
pub fn retain_not_modified_headers(headers: &mut HeaderMap) {
    for name in &BODY_METADATA {
        headers.remove(name);
    }
    if headers.contains_key(ETAG) {
        headers.remove(LAST_MODIFIED);
    }
}
