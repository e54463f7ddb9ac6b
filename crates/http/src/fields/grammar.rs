//! The text of a selection: `a,b.c` and `a(b,c)`, before it is matched with a schema.

use std::fmt;

/// How many names deep a selection may go: `a.b.c.d`.
pub const DEEPEST_SELECTION: usize = 4;
/// How many names a selection may have.
pub const MOST_SELECTED: usize = 100;

/// One name of a selection, and what is selected beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNode {
    /// The name.
    pub name: String,
    /// The names beneath; empty for a name that stands alone.
    pub children: Vec<FieldNode>,
}

/// Reads `id,author.name,author(email,company(name))`.
///
/// ```
/// use paceline_http::fields::parse_fields;
///
/// assert_eq!(parse_fields("id,author.name")?, parse_fields("id,author(name)")?);
/// assert!(parse_fields("id,,name").is_err());
/// # Ok::<(), paceline_http::fields::InvalidFields>(())
/// ```
///
/// # Errors
/// When a name is missing, parentheses do not match, or it is deeper or longer than allowed.
pub fn parse_fields(text: &str) -> Result<Vec<FieldNode>, InvalidFields> {
    let mut reader = Reader {
        rest: text,
        names: 0,
    };
    let nodes = reader.list(1)?;
    match reader.rest {
        "" => Ok(nodes),
        _ => Err(InvalidFields::UnopenedParenthesis),
    }
}

/// Why a text is no selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidFields {
    /// There is nothing before, between or behind separators.
    MissingName,
    /// A `)` without its `(`.
    UnopenedParenthesis,
    /// A `(` without its `)`.
    UnclosedParenthesis,
    /// A `)` with a name or a dot behind it.
    MissingComma,
    /// Deeper than [`DEEPEST_SELECTION`].
    TooDeep,
    /// Longer than [`MOST_SELECTED`].
    TooMany,
}

impl InvalidFields {
    /// Whether it is readable and only asks for too much.
    pub fn is_too_much(self) -> bool {
        matches!(self, Self::TooDeep | Self::TooMany)
    }
}

impl fmt::Display for InvalidFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingName => f.write_str(
                "A name is missing: write names joined by commas, as in id,title,author.name.",
            ),
            Self::UnopenedParenthesis => f.write_str("There is a \")\" without its \"(\"."),
            Self::UnclosedParenthesis => f.write_str("A \"(\" is not closed by a \")\"."),
            Self::MissingComma => f.write_str("Behind a \")\" there must be a comma or the end."),
            Self::TooDeep => write!(
                f,
                "The selection is more than {DEEPEST_SELECTION} names deep."
            ),
            Self::TooMany => write!(f, "The selection has more than {MOST_SELECTED} names."),
        }
    }
}

impl std::error::Error for InvalidFields {}

struct Reader<'text> {
    rest: &'text str,
    names: usize,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<Vec<FieldNode>, InvalidFields> {
        let mut nodes = vec![self.node(depth)?];
        while self.take(',') {
            nodes.push(self.node(depth)?);
        }
        Ok(nodes)
    }

    /// `depth` bounds the recursion.
    fn node(&mut self, depth: usize) -> Result<FieldNode, InvalidFields> {
        if depth > DEEPEST_SELECTION {
            return Err(InvalidFields::TooDeep);
        }
        let name = self.name()?.to_owned();
        let children = if self.take('.') {
            vec![self.node(depth + 1)?]
        } else if self.take('(') {
            self.group(depth + 1)?
        } else {
            Vec::new()
        };
        Ok(FieldNode { name, children })
    }

    fn name(&mut self) -> Result<&str, InvalidFields> {
        let end = self.rest.find([',', '.', '(', ')']);
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err(InvalidFields::MissingName);
        }
        if self.names == MOST_SELECTED {
            return Err(InvalidFields::TooMany);
        }
        self.names += 1;
        self.rest = rest;
        Ok(name)
    }

    fn group(&mut self, depth: usize) -> Result<Vec<FieldNode>, InvalidFields> {
        let nodes = self.list(depth)?;
        if !self.take(')') {
            return Err(InvalidFields::UnclosedParenthesis);
        }
        if self.rest.is_empty() || self.rest.starts_with([',', ')']) {
            Ok(nodes)
        } else {
            Err(InvalidFields::MissingComma)
        }
    }

    fn take(&mut self, separator: char) -> bool {
        let rest = self.rest.strip_prefix(separator);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(nodes: &[FieldNode]) -> String {
        let written = nodes.iter().map(|node| match node.children.as_slice() {
            [] => node.name.clone(),
            children => format!("{}({})", node.name, written(children)),
        });
        written.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn both_spellings_are_one_tree() {
        let check = |text: &str, expected: &str| {
            assert_eq!(written(&parse_fields(text).unwrap()), expected);
        };
        check("id", "id");
        check("id,author.name", "id,author(name)");
        check(
            "author(name,company.city),id",
            "author(name,company(city)),id",
        );
        check("a.b.c.d", "a(b(c(d)))");
        check("__proto__,\"x\"; DROP", "__proto__,\"x\"; DROP");
    }

    #[test]
    fn trap_16_malformed_selections_are_refused() {
        let check = |text: &str, expected| assert_eq!(parse_fields(text), Err(expected), "{text}");
        for text in ["", ",", "a,", ",a", "a..b", "a.", "(", "a(", "a()", "a(b,"] {
            check(text, InvalidFields::MissingName);
        }
        check("a(b", InvalidFields::UnclosedParenthesis);
        check("a)", InvalidFields::UnopenedParenthesis);
        check("a(b))", InvalidFields::UnopenedParenthesis);
        check("a(b)c", InvalidFields::MissingComma);
        check("a(b).c", InvalidFields::MissingComma);
        check("a.b.c.d.e", InvalidFields::TooDeep);
        check(&"a(".repeat(5_000), InvalidFields::TooDeep);
        check(
            &vec!["a"; MOST_SELECTED + 1].join(","),
            InvalidFields::TooMany,
        );
        assert!(parse_fields(&vec!["a"; MOST_SELECTED].join(",")).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(text in "[ab.,()]{0,40}") {
            if let Ok(nodes) = parse_fields(&text) {
                prop_assert_eq!(parse_fields(&written(&nodes)), Ok(nodes));
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,80}") {
            let _ = parse_fields(&text);
        }
    }
}
