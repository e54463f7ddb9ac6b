//! Splitting a list header from the right.

/// The parts of `text` between `separator`s outside quoted strings, the last one first.
///
/// It reads from the right so that an unbalanced quote on the left, which the client may have written,
/// cannot swallow what the proxies added on the right.
pub(super) fn from_the_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = last_unquoted(text, separator) else {
            return rest.take();
        };
        rest = Some(&text[..at]);
        Some(&text[at + 1..])
    })
}

/// Where the last `separator` stands that is in no quoted string closed on its right.
fn last_unquoted(text: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    for at in (0..text.len()).rev() {
        match text[at] {
            b'"' if !(quoted && is_escaped(text, at)) => quoted = !quoted,
            byte if byte == separator && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at]
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
        % 2
        == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&[u8]> = from_the_right(text.as_bytes(), b',').collect();
        let expected: Vec<&[u8]> = expected.iter().map(|part| part.as_bytes()).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn parts_come_from_the_right_and_quotes_hide_separators() {
        check("", &[""]);
        check("a,b", &["b", "a"]);
        check("a,,b,", &["", "b", "", "a"]);
        check(r#"a,"b,c",d"#, &["d", r#""b,c""#, "a"]);
        check(r#"a,"b\",c",d"#, &["d", r#""b\",c""#, "a"]);
        check(r#"a,"b\\",c"#, &["c", r#""b\\""#, "a"]);
    }

    #[test]
    fn an_open_quote_on_the_left_does_not_swallow_the_right() {
        check(r#"x="evil,for=1"#, &["for=1", r#"x="evil"#]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_without_a_panic_and_nothing_is_lost(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'"'), Just(b'\\')], 0..80)
        ) {
            let mut parts: Vec<&[u8]> = from_the_right(&bytes, b',').collect();
            parts.reverse();
            prop_assert_eq!(parts.join(&b','), bytes);
        }
    }
}
