//! A raw query string, taken apart.

use std::collections::HashSet;

use percent_encoding::percent_decode;

use super::error::{QueryError, QueryErrorCode};

/// The longest query string that is read, in bytes.
pub const LONGEST_QUERY: usize = 8 * 1024;
/// The most parameters that are read.
pub const MOST_PARAMETERS: usize = 64;

/// One parameter, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The part before the first `=`.
    pub name: String,
    /// The part behind it; empty when there is no `=`.
    pub value: String,
}

/// Decodes a query string, without its `?`: percent-encoding once, `+` as a space.
///
/// # Errors
/// When it is too long, has too many parameters or the same one twice, a `%` that starts no
/// encoded byte, or bytes that are not UTF-8.
pub fn parse_parameters(query: &str) -> Result<Vec<Parameter>, QueryError> {
    if query.len() > LONGEST_QUERY {
        let detail =
            format!("The query is longer than {LONGEST_QUERY} bytes. Ask for less at once.");
        return Err(QueryError::new(QueryErrorCode::TooMuch, "", detail));
    }
    let mut parameters = Vec::new();
    let mut seen = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name, name)?;
        let value = decode(value, &name)?;
        if !seen.insert(name.clone()) {
            let detail =
                "The parameter is there more than once. Send it once; lists are joined by commas.";
            return Err(QueryError::new(
                QueryErrorCode::RepeatedParameter,
                &name,
                detail,
            ));
        }
        parameters.push(Parameter { name, value });
    }
    if parameters.len() > MOST_PARAMETERS {
        let detail = format!("There are more than {MOST_PARAMETERS} parameters.");
        return Err(QueryError::new(QueryErrorCode::TooMuch, "", detail));
    }
    Ok(parameters)
}

fn decode(raw: &str, parameter: &str) -> Result<String, QueryError> {
    let error = |detail: &str| QueryError::new(QueryErrorCode::Encoding, parameter, detail);
    for (at, _) in raw.match_indices('%') {
        let digits = raw.as_bytes().get(at + 1..at + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(error(
                "A \"%\" must be followed by two hexadecimal digits; \"%\" itself is written %25.",
            ));
        }
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| error("The parameter is not UTF-8 once decoded."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        let check = |query: &str, expected: &[(&str, &str)]| {
            let parameters = parse_parameters(query).unwrap();
            let pairs: Vec<_> = parameters
                .iter()
                .map(|p| (p.name.as_str(), p.value.as_str()))
                .collect();
            assert_eq!(pairs, expected, "{query}");
        };
        check("", &[]);
        check("a=1&&b", &[("a", "1"), ("b", "")]);
        check("a=b=c&x=%2526", &[("a", "b=c"), ("x", "%26")]);
        check(
            "page%5Bsize%5D=2&n=a+b%2B",
            &[("page[size]", "2"), ("n", "a b+")],
        );
    }

    #[test]
    fn refuses_what_is_malformed() {
        let check = |query: &str, code: QueryErrorCode| {
            assert_eq!(parse_parameters(query).unwrap_err().code, code, "{query}");
        };
        check("a=%zz", QueryErrorCode::Encoding);
        check("a=%f", QueryErrorCode::Encoding);
        check("a=%ff", QueryErrorCode::Encoding);
        check("a=1&%61=2", QueryErrorCode::RepeatedParameter);
        check(&"a".repeat(LONGEST_QUERY + 1), QueryErrorCode::TooMuch);
        let many: Vec<String> = (0..=MOST_PARAMETERS).map(|n| format!("p{n}=1")).collect();
        check(&many.join("&"), QueryErrorCode::TooMuch);
    }
}
