//! One range of bytes, as an origin with files answers it.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

/// The part that is asked for, and its `Content-Range`; `None`: the whole is the answer.
pub(super) fn part(
    request: &HeaderMap,
    current: &HeaderMap,
    whole: &Bytes,
) -> Option<(Bytes, HeaderValue)> {
    if let Some(condition) = request.get(IF_RANGE) {
        let is_strong = condition.as_bytes().starts_with(b"\"");
        if !is_strong || current.get(ETAG) != Some(condition) {
            return None;
        }
    }
    let (first, last) = request
        .get(RANGE)?
        .to_str()
        .ok()?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let first: usize = first.parse().ok()?;
    let last = last
        .parse()
        .unwrap_or(usize::MAX)
        .min(whole.len().checked_sub(1)?);
    if first > last {
        return None;
    }
    let described = format!("bytes {first}-{last}/{}", whole.len());
    Some((
        whole.slice(first..=last),
        HeaderValue::try_from(described).ok()?,
    ))
}

/// Marks an answer as that part.
pub(super) fn describe(headers: &mut HeaderMap, content_range: HeaderValue) {
    headers.insert(CONTENT_RANGE, content_range);
}
