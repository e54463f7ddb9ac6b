//! One complete answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Method, Response};
use http_body_util::Full;

use super::variants::Variants;
use crate::compression::Compressor;
use crate::conditional::{EntityTag, PreconditionRefused};

/// The first second that has no HTTP date, since 1970.
const YEAR_10000: u64 = 253_402_300_800;

/// A 200 answer in its identity form: what a `GET` of some URL gets while nothing changes.
///
/// `Content-Length`, `Content-Encoding` of a negotiated coding, `Vary: accept-encoding` and the tag of the
/// coding are added when it is sent.
#[derive(Debug, Clone)]
pub struct Representation {
    pub(super) tag: Option<EntityTag>,
    pub(super) last_modified: Option<SystemTime>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Representation {
    /// An answer of this type with these bytes, as yet without a validator.
    pub fn new(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        Self {
            tag: None,
            last_modified: None,
            headers,
            body: body.into(),
        }
    }

    /// Sets the tag of this version in identity. A strong one promises these very bytes and gets each coding's
    /// suffix; a weak one is sent as it is in every coding.
    #[must_use]
    pub fn with_tag(mut self, tag: EntityTag) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Sets `Last-Modified`, cut to whole seconds. Useful only beside a tag or where there can be none. A time
    /// before 1970 or after 9999 cannot be written as an HTTP date and is left out.
    #[must_use]
    pub fn with_last_modified(mut self, time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map(|since| since.as_secs());
        let Some(seconds) = seconds.ok().filter(|&seconds| seconds < YEAR_10000) else {
            return self;
        };
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        if let Ok(value) = HeaderValue::try_from(httpdate::fmt_http_date(time)) {
            self.headers.insert(LAST_MODIFIED, value);
            self.last_modified = Some(time);
        }
        self
    }

    /// Adds a header field (`Link`, `Cache-Control`, ...) beside any of the same name.
    ///
    /// With `Cache-Control: no-transform` or a `Content-Encoding` the bytes are sent as they are, whatever the
    /// client accepts; with `Cache-Control: no-store` no cache keeps the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The bytes in identity.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The tag in identity.
    pub fn tag(&self) -> Option<&EntityTag> {
        self.tag.as_ref()
    }

    /// Answers one request without a cache: the coding is negotiated, preconditions are evaluated and the
    /// body is compressed for this request alone.
    ///
    /// Errors when a precondition forbids the answer (412 or 400).
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, when a body is long enough to be compressed on its blocking pool.
    pub async fn into_response(
        self,
        method: &Method,
        headers: &HeaderMap,
        compressor: &Arc<Compressor>,
    ) -> Result<Response<Full<Bytes>>, PreconditionRefused> {
        Variants::new(self, Arc::clone(compressor))
            .respond(method, headers)
            .await
            .response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_have_an_http_date_are_cut_to_the_second_and_others_left_out() {
        let check = |time: SystemTime, expected: Option<&str>| {
            let answer = Representation::new(HeaderValue::from_static("text/plain"), "x")
                .with_last_modified(time);
            let sent = answer
                .headers
                .get(LAST_MODIFIED)
                .map(|value| value.to_str().unwrap());
            assert_eq!(sent, expected);
            assert_eq!(
                answer.last_modified.map(httpdate::fmt_http_date).as_deref(),
                expected
            );
        };
        check(
            UNIX_EPOCH + Duration::from_millis(784_111_777_999),
            Some("Sun, 06 Nov 1994 08:49:37 GMT"),
        );
        check(
            UNIX_EPOCH + Duration::from_secs(YEAR_10000 - 1),
            Some("Fri, 31 Dec 9999 23:59:59 GMT"),
        );
        check(UNIX_EPOCH + Duration::from_secs(YEAR_10000), None);
        check(UNIX_EPOCH - Duration::from_secs(1), None);
    }
}
