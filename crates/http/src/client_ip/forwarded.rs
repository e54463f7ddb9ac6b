//! The `for=` parameter of one `Forwarded` element (RFC 7239, section 4).

use std::net::IpAddr;

use super::elements::from_the_right;
use super::node;

/// The address `element` says the request came from; `None` when it has no `for`, two of them, or one
/// that is not an address.
pub(super) fn parse(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    for pair in from_the_right(element, b';') {
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        if pair[..equals].trim_ascii().eq_ignore_ascii_case(b"for") {
            let address = node::parse(&unquote(pair[equals + 1..].trim_ascii())?)?;
            if found.replace(address).is_some() {
                return None;
            }
        }
    }
    found
}

/// A token as it is, or what a quoted string says. `None` for a quoted string that is not whole.
fn unquote(value: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    let Some(rest) = value.strip_prefix(b"\"") else {
        return Some(value.into());
    };
    let inner = rest.strip_suffix(b"\"")?;
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => text.push(*bytes.next()?),
            b'"' => return None,
            _ => text.push(*byte),
        }
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(element: &str, expected: Option<&str>) {
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(parse(element.as_bytes()), expected, "{element:?}");
    }

    #[test]
    fn the_for_parameter_in_each_spelling() {
        check("for=192.0.2.60", Some("192.0.2.60"));
        check(
            "FOR=192.0.2.60;proto=http;by=203.0.113.43",
            Some("192.0.2.60"),
        );
        check(
            r#" proto=https ; For="[2001:db8:cafe::17]:4711" "#,
            Some("2001:db8:cafe::17"),
        );
        check(r#"for="192.0.2.1:80""#, Some("192.0.2.1"));
        check(r#"for="1\92.0.2.1""#, Some("192.0.2.1"));
        check(r#"host="a;for=9.9.9.9";for=192.0.2.1"#, Some("192.0.2.1"));
    }

    #[test]
    fn anything_doubtful_is_no_address() {
        let wrong = [
            "",
            "for",
            "for=",
            "for=unknown",
            r#"for="_gazonk""#,
            "by=192.0.2.1",
            "for=192.0.2.1;for=192.0.2.2",
            r#"for="192.0.2.1"#,
            r#"for="192.0.2.1\"#,
            r#"for="192.0.2.1"x"#,
            r#"for=""192.0.2.1"""#,
        ];
        for element in wrong {
            check(element, None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"for=\"", bytes.as_slice()].concat());
        }
    }
}
