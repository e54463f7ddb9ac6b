//! `Cache-Control` directives, read as the grammar says (RFC 9111, 5.2).

use http::HeaderValue;

/// Whether one of the lines has the directive `name` (lower case), with or without an argument. A name that
/// only stands inside another directive's quoted argument does not count.
pub(crate) fn cache_control_has<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
    name: &str,
) -> bool {
    lines.into_iter().any(|line| {
        Directives(line.as_bytes()).any(|directive| directive.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// The names of the directives on one line.
struct Directives<'a>(&'a [u8]);

impl<'a> Iterator for Directives<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let element = &self.0[..element_length(self.0)];
        self.0 = self.0.get(element.len() + 1..).unwrap_or_default();
        let name_end = element
            .iter()
            .position(|&byte| byte == b'=')
            .unwrap_or(element.len());
        Some(element[..name_end].trim_ascii())
    }
}

/// Bytes up to the next comma that is not inside a quoted string.
fn element_length(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directives_are_found_where_they_are_and_nowhere_else() {
        let check = |line: &str, expected: bool| {
            let value: HeaderValue = line.parse().unwrap();
            assert_eq!(
                cache_control_has([&value], "no-transform"),
                expected,
                "{line}"
            );
        };
        check("no-transform", true);
        check("max-age=60, No-Transform", true);
        check("private=\"set-cookie, x\",no-transform", true);
        check("no-transform=1", true);
        check("", false);
        check("no-transformer", false);
        check("ext=\"no-transform\"", false);
        check("ext=\"a, no-transform, b\"", false);
        check("ext=\"a\\\", no-transform\"", false);
        check("ext=no-transform", false);
    }
    proptest! {
        #[test]
        fn any_bytes_are_read_and_a_directive_before_them_is_found(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\\')], 0..60)
        ) {
            let line = [b"max-age=1, no-transform, ", &bytes[..]].concat();
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                prop_assert!(cache_control_has([&value], "no-transform"));
            }
        }
    }
}
