//! Preconditions as a whole, and media types.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use paceline_http::compression::CompressionPolicy;
use paceline_http::conditional::{
    CurrentState, Decision, EntityTag, IfRange, PreconditionRefused, evaluate,
};

const NAMES: [&str; 5] = [
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
];

/// Lines of all five fields, the first byte of a line says which: no reading method is refused without a guard, no
/// method that acts is told 304, and a part is never sent for a weak tag.
///
/// # Panics
/// When that does not hold.
pub fn preconditions(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n').take(64) {
        let Some((&first, value)) = line.split_first() else {
            continue;
        };
        let name = NAMES[usize::from(first) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let tag = EntityTag::strong("v").expect("a legal tag");
    let states = [
        CurrentState::absent(),
        CurrentState::untagged(),
        CurrentState::tagged(&tag),
    ];
    let has = |name: &str| headers.contains_key(name);
    for state in states {
        for method in [Method::GET, Method::HEAD] {
            let decision = evaluate(&method, &headers, &state);
            if !has("if-match") && !has("if-unmodified-since") {
                assert!(!matches!(decision, Decision::Refuse(_)), "{headers:?}");
            }
            if !has("if-none-match") && !has("if-modified-since") {
                assert_ne!(decision, Decision::NotModified, "{headers:?}");
            }
        }
        let decision = evaluate(&Method::PUT, &headers, &state);
        assert_ne!(decision, Decision::NotModified, "{headers:?}");
        if headers.is_empty() {
            assert_eq!(decision, Decision::Proceed);
        }
        if state.exists()
            && headers
                .get("if-none-match")
                .is_some_and(|value| value == "*")
        {
            let is_alone = headers.get_all("if-none-match").iter().count() == 1;
            let refused = matches!(decision, Decision::Refuse(PreconditionRefused::Failed));
            assert!(!is_alone || has("if-match") || refused, "{headers:?}");
        }
    }
    if let IfRange::Tag(listed) = IfRange::from_headers(&headers) {
        let holds = IfRange::from_headers(&headers).holds(Some(&tag), None);
        assert_eq!(
            holds,
            !listed.is_weak() && listed.opaque() == b"v",
            "{headers:?}"
        );
    }
}

/// `Content-Type`: parameters and letter case decide nothing.
///
/// # Panics
/// When that does not hold.
pub fn media_type(data: &[u8]) {
    let policy = CompressionPolicy::new();
    let allows = |bytes: &[u8]| {
        let value = HeaderValue::from_bytes(bytes).ok()?;
        Some(policy.allows_type(&value))
    };
    let Some(plain) = allows(data) else {
        return;
    };
    let with_parameter = [data, b"; charset=utf-8"].concat();
    assert_eq!(allows(&with_parameter), Some(plain));
    assert_eq!(allows(&data.to_ascii_uppercase()), Some(plain));
}
