//! Header fields of content negotiation and conditional requests.

use paceline_http::compression::{AcceptEncoding, Coding, CodingSet, Negotiated};
use paceline_http::conditional::{EntityTagList, EntityTagRef};

/// Within this many bytes, and this many commas, no bound on a field's length is reached.
const SHORT: usize = 48;

/// `Accept-Encoding`, one header line a line of `data`: what is negotiated is on offer, and lines may be joined.
///
/// # Panics
/// When that does not hold.
pub fn accept_encoding(data: &[u8]) {
    let accepted = AcceptEncoding::parse(lines(data));
    for available in [
        CodingSet::ALL,
        CodingSet::NONE,
        CodingSet::NONE.with(Coding::Gzip),
    ] {
        match accepted.negotiate(available) {
            Negotiated::Coding(Coding::Identity) => assert!(accepted.accepts_identity()),
            Negotiated::Coding(coding) => {
                assert!(available.contains(coding), "{coding:?} was not offered");
            }
            Negotiated::NotAcceptable => assert!(!accepted.accepts_identity()),
        }
    }
    if data.len() <= SHORT {
        let joined = joined(data);
        assert_eq!(
            accepted,
            AcceptEncoding::parse([&joined[..]]),
            "lines mean what the joined line means"
        );
    }
}

/// `If-None-Match`, one header line a line of `data`: tags read as themselves once written again, and lines may be joined.
///
/// # Panics
/// When that does not hold.
pub fn if_none_match(data: &[u8]) {
    let parsed = EntityTagList::parse(lines(data));
    if let Ok(Some(EntityTagList::Tags(tags))) = &parsed {
        for tag in tags {
            let written = [
                if tag.is_weak() { "W/\"" } else { "\"" }.as_bytes(),
                tag.opaque(),
                b"\"",
            ]
            .concat();
            assert_eq!(
                EntityTagRef::parse(&written).as_ref(),
                Ok(tag),
                "a tag reads as itself"
            );
        }
    }
    if data.len() <= SHORT && parsed.is_ok() {
        let joined = joined(data);
        assert_eq!(
            parsed,
            EntityTagList::parse([&joined[..]]),
            "lines mean what the joined line means"
        );
    }
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|&byte| byte == b'\n')
}

fn joined(data: &[u8]) -> Vec<u8> {
    lines(data).collect::<Vec<_>>().join(&b", "[..])
}
