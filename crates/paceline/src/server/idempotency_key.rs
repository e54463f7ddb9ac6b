//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

use http::{HeaderMap, HeaderName};
use paceline_http::problem::Problem;

pub(super) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The header's value: one, of 1 to 255 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let text = first.to_str().unwrap_or_default();
    let usable =
        (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if values.next().is_some() || !usable {
        return Err(Problem::invalid_header(
            &KEY_HEADER,
            "Send one Idempotency-Key of 1 to 255 visible ASCII characters.",
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn keys_are_taken_whole_or_refused() {
        let check = |values: &[&str], expected: Result<Option<&str>, u16>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(
                    KEY_HEADER,
                    HeaderValue::from_bytes(value.as_bytes()).unwrap(),
                );
            }
            let found = idempotency_key(&headers).map_err(|problem| problem.status().as_u16());
            assert_eq!(
                found,
                expected.map(|key| key.map(str::to_owned)),
                "{values:?}"
            );
        };
        check(&[], Ok(None));
        check(&["order-17"], Ok(Some("order-17")));
        check(&[""], Err(400));
        check(&["a b"], Err(400));
        check(&["ä"], Err(400));
        check(&[&"x".repeat(256)], Err(400));
        check(&["a", "a"], Err(400));
    }
}
