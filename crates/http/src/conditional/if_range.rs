//! `If-Range` (RFC 9110, 13.1.5): a part, if the client's bytes are still current, else the whole.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_RANGE;

use super::entity_tag::{EntityTag, EntityTagRef};
use super::evaluate::date;

/// The condition of a range request.
///
/// ```
/// use http::{HeaderMap, header};
/// use paceline_http::conditional::{EntityTag, IfRange};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::IF_RANGE, "\"v-gzip\"".parse().unwrap());
/// let condition = IfRange::from_headers(&headers);
/// // A part of the plain bytes is of no use to a client that holds the gzip bytes.
/// assert!(!condition.holds(Some(&EntityTag::strong("v").unwrap()), None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfRange<'h> {
    /// The request has no such field: the range applies.
    Absent,
    /// The bytes with this tag.
    Tag(EntityTagRef<'h>),
    /// The bytes last changed then.
    Date(SystemTime),
    /// Neither, or several lines: the whole is the answer.
    Malformed,
}

impl<'h> IfRange<'h> {
    /// Reads the field.
    pub fn from_headers(headers: &'h HeaderMap) -> Self {
        let mut lines = headers.get_all(IF_RANGE).iter();
        let (line, another) = (lines.next(), lines.next());
        match (line, another) {
            (None, _) => Self::Absent,
            (Some(line), None) => match EntityTagRef::parse(line.as_bytes()) {
                Ok(tag) => Self::Tag(tag),
                Err(_) => date(headers, IF_RANGE).map_or(Self::Malformed, Self::Date),
            },
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// Whether a part may be sent. `tag` is that of the very bytes a part would be taken from, its coding's suffix
    /// included, and compared strongly; a date must be `last_modified` exactly.
    pub fn holds(&self, tag: Option<&EntityTag>, last_modified: Option<SystemTime>) -> bool {
        match self {
            Self::Absent => true,
            Self::Tag(listed) => tag.is_some_and(|tag| listed.strong_eq(tag.as_ref())),
            Self::Date(date) => last_modified == Some(*date),
            Self::Malformed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_part_is_sent_only_of_the_bytes_the_client_has() {
        const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let modified = httpdate::parse_http_date(DATE).unwrap();
        let check = |lines: &[&'static str], expected: bool| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_RANGE, HeaderValue::from_static(line));
            }
            let tag = EntityTag::strong("v").unwrap();
            let holds = IfRange::from_headers(&headers).holds(Some(&tag), Some(modified));
            assert_eq!(holds, expected, "{lines:?}");
        };
        check(&[], true);
        check(&["\"v\""], true);
        check(&["\"v-gzip\""], false);
        check(&["W/\"v\""], false);
        check(&["\"v\", \"w\""], false);
        check(&["\"v\"", "\"v\""], false);
        check(&[DATE], true);
        check(&["Sun, 06 Nov 1994 08:49:38 GMT"], false);
        check(&["v"], false);
    }
}
