//! What happens to one answer: a decision on its head and the length of its body.

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::policy::CompressionPolicy;
use crate::cache_control::cache_control_has;
use crate::coding::Coding;

/// What was found out from the request, before the handler ran.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pub(super) coding: Coding,
    pub(super) accepts_identity: bool,
    pub(super) no_transform: bool,
    pub(super) is_connect: bool,
}

/// What to do with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Nothing about the answer depends on `Accept-Encoding`.
    Untouched,
    /// The bytes stay, but another `Accept-Encoding` could have got others.
    VaryOnly,
    /// The client's copy may be an encoded one: the tag must be that copy's.
    NotModified,
    /// The body is encoded.
    Encode,
}

/// Decides by the head of the answer; `length` is that of the body a `GET` gets, where it is known.
pub(super) fn treatment(
    policy: &CompressionPolicy,
    exchange: Exchange,
    status: StatusCode,
    headers: &HeaderMap,
    length: Option<u64>,
) -> Treatment {
    if exchange.is_connect || cache_control_has(headers.get_all(CACHE_CONTROL), "no-transform") {
        return Treatment::Untouched;
    }
    match status {
        StatusCode::NOT_MODIFIED => return Treatment::NotModified,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT => {
            return Treatment::Untouched;
        }
        informational if informational.is_informational() => return Treatment::Untouched,
        _ => {}
    }
    let is_type_allowed = headers
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| policy.allows_type(content_type));
    if !is_type_allowed
        || headers.contains_key(CONTENT_ENCODING)
        || headers.contains_key(CONTENT_RANGE)
    {
        return Treatment::Untouched;
    }
    let is_short = length.is_some_and(|length| length == 0 || length < policy.smallest() as u64);
    let is_spared = length == Some(0) || (is_short && exchange.accepts_identity);
    if exchange.coding == Coding::Identity || exchange.no_transform || is_spared {
        return Treatment::VaryOnly;
    }
    Treatment::Encode
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const GZIP: Exchange = Exchange {
        coding: Coding::Gzip,
        accepts_identity: true,
        no_transform: false,
        is_connect: false,
    };
    const JSON: (&str, &str) = ("content-type", "application/json");

    fn check(
        exchange: Exchange,
        status: u16,
        lines: &[(&'static str, &str)],
        length: Option<u64>,
        expected: Treatment,
    ) {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        let headers: HeaderMap = lines.iter().map(pair).collect();
        let status = StatusCode::from_u16(status).unwrap();
        let decided = treatment(
            &CompressionPolicy::new(),
            exchange,
            status,
            &headers,
            length,
        );
        assert_eq!(
            decided, expected,
            "{status} {lines:?} {length:?} {exchange:?}"
        );
    }

    #[test]
    fn long_text_is_encoded_whatever_the_status() {
        check(GZIP, 200, &[JSON], Some(1024), Treatment::Encode);
        check(GZIP, 200, &[JSON], None, Treatment::Encode);
        check(GZIP, 404, &[JSON], Some(5000), Treatment::Encode);
        check(
            GZIP,
            200,
            &[JSON, ("cache-control", "ext=\"no-transform\"")],
            None,
            Treatment::Encode,
        );
    }

    #[test]
    fn short_and_identity_answers_only_vary() {
        check(GZIP, 200, &[JSON], Some(1023), Treatment::VaryOnly);
        check(GZIP, 200, &[JSON], Some(0), Treatment::VaryOnly);
        check(
            Exchange {
                coding: Coding::Identity,
                ..GZIP
            },
            200,
            &[JSON],
            None,
            Treatment::VaryOnly,
        );
        check(
            Exchange {
                no_transform: true,
                ..GZIP
            },
            200,
            &[JSON],
            None,
            Treatment::VaryOnly,
        );
        check(
            Exchange {
                accepts_identity: false,
                ..GZIP
            },
            200,
            &[JSON],
            Some(10),
            Treatment::Encode,
        );
        check(
            Exchange {
                accepts_identity: false,
                ..GZIP
            },
            200,
            &[JSON],
            Some(0),
            Treatment::VaryOnly,
        );
    }

    #[test]
    fn what_must_not_be_transformed_stays() {
        for status in [101, 204, 205, 206] {
            check(GZIP, status, &[JSON], None, Treatment::Untouched);
        }
        check(
            GZIP,
            200,
            &[JSON, ("cache-control", "public, No-Transform")],
            None,
            Treatment::Untouched,
        );
        check(
            GZIP,
            200,
            &[JSON, ("content-encoding", "identity")],
            None,
            Treatment::Untouched,
        );
        check(
            GZIP,
            416,
            &[JSON, ("content-range", "bytes */9")],
            None,
            Treatment::Untouched,
        );
        check(
            GZIP,
            200,
            &[("content-type", "multipart/byteranges; boundary=x")],
            None,
            Treatment::Untouched,
        );
        check(
            GZIP,
            200,
            &[("content-type", "image/png")],
            None,
            Treatment::Untouched,
        );
        check(GZIP, 200, &[], None, Treatment::Untouched);
        check(
            Exchange {
                is_connect: true,
                ..GZIP
            },
            200,
            &[JSON],
            None,
            Treatment::Untouched,
        );
        check(GZIP, 304, &[], Some(0), Treatment::NotModified);
        check(
            GZIP,
            304,
            &[("cache-control", "no-transform")],
            Some(0),
            Treatment::Untouched,
        );
    }
}
