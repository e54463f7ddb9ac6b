//! Environment variables inside strings: `${NAME}`, and `$$` for a dollar sign.
//!
//! Expansion happens after the file is parsed, so a value can never change the file's structure.

/// Why a string could not be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExpandError {
    /// `${NAME}` names a variable that is not set.
    Missing(String),
    /// `$` stands alone, or `${` is not closed, or the name is not one.
    Malformed,
}

/// A string after expansion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// Whether an environment variable went into it; such a text is never printed.
    pub(super) from_environment: bool,
}

/// Replaces each `${NAME}` by what `lookup` answers and `$$` by `$`.
pub(super) fn expand(
    raw: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Expanded, ExpandError> {
    let mut text = String::with_capacity(raw.len());
    let mut from_environment = false;
    let mut rest = raw;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(after) = tail.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let (name, after) = tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .filter(|(name, _)| is_name(name))
            .ok_or(ExpandError::Malformed)?;
        let value = lookup(name).ok_or_else(|| ExpandError::Missing(name.to_owned()))?;
        text.push_str(&value);
        from_environment = true;
        rest = after;
    }
    text.push_str(rest);
    Ok(Expanded {
        text,
        from_environment,
    })
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Result<&str, ExpandError>) {
        let lookup = |name: &str| match name {
            "USER" => Some("zoë".to_owned()),
            "ODD" => Some("${USER}$".to_owned()),
            _ => None,
        };
        let found = expand(raw, &lookup).map(|expanded| expanded.text);
        assert_eq!(found, expected.map(str::to_owned), "{raw}");
    }

    #[test]
    fn variables_are_replaced_once_and_dollars_escaped() {
        check("plain", Ok("plain"));
        check("a ${USER} b", Ok("a zoë b"));
        check("${USER}${USER}", Ok("zoëzoë"));
        check("$$", Ok("$"));
        check("$${USER}", Ok("${USER}"));
        // What comes out of a variable is not expanded again.
        check("${ODD}", Ok("${USER}$"));
        check("${GONE}", Err(ExpandError::Missing("GONE".to_owned())));
        for malformed in ["$", "a$b", "${", "${USER", "${}", "${1A}", "${A-B}"] {
            check(malformed, Err(ExpandError::Malformed));
        }
    }

    #[test]
    fn only_variables_make_a_text_unprintable() {
        let lookup = |_: &str| Some(String::new());
        assert!(!expand("$$5", &lookup).unwrap().from_environment);
        assert!(expand("${A}", &lookup).unwrap().from_environment);
    }
}
