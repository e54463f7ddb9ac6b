//! The parameters of a query string that an extractor is about; all others are left to the handler.

use std::borrow::Cow;

use http::StatusCode;
use percent_encoding::percent_decode;

use crate::problem::{Problem, code};

/// The longest query string that is read, in bytes.
pub(crate) const LONGEST_QUERY: usize = 8 * 1024;
/// The most parameters of other names that are passed over. Those that are ours do not count, as links add them.
const MOST_PARAMETERS: usize = 64;
/// The longest piece of a request that is repeated in an error, in characters.
const LONGEST_ECHO: usize = 100;

/// One parameter, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter<'query> {
    pub(crate) name: Cow<'query, str>,
    pub(crate) value: String,
}

/// The parameters whose name `is_ours`, each at most once.
pub(crate) fn parameters(
    query: &str,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Vec<Parameter<'_>>, Problem> {
    if query.len() > LONGEST_QUERY {
        let detail =
            format!("The query is longer than {LONGEST_QUERY} bytes. Ask for less at once.");
        return Err(Problem::bad_request(detail).with_code(code::QUERY_TOO_LARGE));
    }
    let mut found: Vec<Parameter<'_>> = Vec::new();
    let mut others = 0;
    for pair in pairs(query) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A name that cannot be read is not one of ours.
        let Some(name) = decode(name).filter(|name| is_ours(name)) else {
            others += 1;
            if others > MOST_PARAMETERS {
                let detail = format!("There are more than {MOST_PARAMETERS} parameters.");
                return Err(Problem::bad_request(detail).with_code(code::QUERY_TOO_LARGE));
            }
            continue;
        };
        if found.iter().any(|earlier| earlier.name == name) {
            return Err(repeated(
                &name,
                "The parameter is there more than once. Send it once; lists are joined by commas.",
            ));
        }
        let Some(value) = decode(value) else {
            return Err(Problem::invalid_parameter(
                name,
                "The value is not UTF-8 text in percent-encoding; \"%\" itself is written %25.",
            )
            .with_code(code::INVALID_ENCODING));
        };
        let value = value.into_owned();
        found.push(Parameter { name, value });
    }
    Ok(found)
}

/// 400: a parameter that was given before, in this spelling or another.
pub(crate) fn repeated(name: &str, detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code::REPEATED_PARAMETER)
        .with_detail(detail)
        .with_parameter(cut(name))
}

/// The `name=value` pieces, as they were sent.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

/// Percent-encoding once, `+` as a space; `None` for a `%` that starts no encoded byte, and for bytes that
/// are no UTF-8.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(raw));
    }
    let encoded = |at: usize| {
        let digits = raw.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !raw.match_indices('%').all(|(at, _)| encoded(at)) {
        return None;
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

/// Text short enough to be repeated in an error.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ECHO) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Vec<(String, String)>, &'static str> {
        let found = parameters(query, |name| matches!(name, "a" | "page[size]"));
        found
            .map(|found| {
                found
                    .into_iter()
                    .map(|parameter| (parameter.name.into_owned(), parameter.value))
                    .collect()
            })
            .map_err(|problem| problem.code())
    }

    #[test]
    fn ours_are_decoded_once_and_others_passed_over() {
        let check = |query: &str, expected: &[(&str, &str)]| {
            let found = read(query).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(found, expected, "{query}");
        };
        check("", &[]);
        check("a", &[("a", "")]);
        check("b=1&b=2&%zz=3&a=x=y&&", &[("a", "x=y")]);
        check(
            "page%5Bsize%5D=2&a=%2526+c",
            &[("page[size]", "2"), ("a", "%26 c")],
        );
    }

    #[test]
    fn what_is_malformed_repeated_or_too_much_is_refused() {
        let check = |query: &str, code: &str| assert_eq!(read(query), Err(code), "{query}");
        check("a=%zz", "invalid-encoding");
        check("a=%f", "invalid-encoding");
        check("a=%ff", "invalid-encoding");
        check("a=1&%61=2", "repeated-parameter");
        check(&"x".repeat(LONGEST_QUERY + 1), "query-too-large");
        check(&"x&".repeat(MOST_PARAMETERS + 1), "query-too-large");
        check(&"a&".repeat(MOST_PARAMETERS + 1), "repeated-parameter");
        // A link adds one of ours to what was accepted.
        let most = "x&".repeat(MOST_PARAMETERS);
        assert_eq!(read(&most), Ok(vec![]));
        let linked = format!("{most}a=7");
        assert_eq!(read(&linked), Ok(vec![("a".to_owned(), "7".to_owned())]));
    }
}
