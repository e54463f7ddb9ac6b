//! The text of a selection: `a,b.c` and `a(b,c)`, before it is matched with a resource.

use super::error::{QueryError, QueryErrorCode};

/// How many names deep a selection may go: `a.b.c.d`.
pub const DEEPEST_SELECTION: usize = 4;
/// How many names a selection may have.
pub const MOST_SELECTED: usize = 100;

/// One name of a selection, and the names selected beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNode {
    /// The name.
    pub name: String,
    /// What is selected beneath; empty for a name that stands alone.
    pub children: Vec<FieldNode>,
}

/// Parses `id,author.name,author(email,company(name))`. Names take no part in SQL here: they are
/// matched with a resource's fields afterwards.
///
/// # Errors
/// When a name is empty, parentheses do not match, or it is too deep or too long.
pub fn parse_fields(text: &str) -> Result<Vec<FieldNode>, QueryError> {
    let mut parser = Parser {
        rest: text,
        names: 0,
    };
    let nodes = parser.list(1)?;
    if parser.rest.is_empty() {
        Ok(nodes)
    } else {
        Err(invalid("There is a \")\" without its \"(\"."))
    }
}

struct Parser<'a> {
    rest: &'a str,
    names: usize,
}

impl Parser<'_> {
    fn list(&mut self, depth: usize) -> Result<Vec<FieldNode>, QueryError> {
        let mut nodes = Vec::new();
        loop {
            nodes.push(self.item(depth)?);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(nodes),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<FieldNode, QueryError> {
        if depth > DEEPEST_SELECTION {
            let detail = format!("The selection is more than {DEEPEST_SELECTION} names deep.");
            return Err(QueryError::new(QueryErrorCode::TooMuch, "fields", detail));
        }
        let end = self
            .rest
            .find([',', '.', '(', ')'])
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(invalid(
                "A name is missing: write names joined by commas, as in id,title,author.name.",
            ));
        }
        self.names += 1;
        if self.names > MOST_SELECTED {
            let detail = format!("The selection has more than {MOST_SELECTED} names.");
            return Err(QueryError::new(QueryErrorCode::TooMuch, "fields", detail));
        }
        self.rest = rest;
        let children = self.children(depth)?;
        Ok(FieldNode {
            name: name.to_owned(),
            children,
        })
    }

    fn children(&mut self, depth: usize) -> Result<Vec<FieldNode>, QueryError> {
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            return Ok(vec![self.item(depth + 1)?]);
        }
        let Some(rest) = self.rest.strip_prefix('(') else {
            return Ok(Vec::new());
        };
        self.rest = rest;
        let children = self.list(depth + 1)?;
        self.rest = self
            .rest
            .strip_prefix(')')
            .ok_or_else(|| invalid("A \"(\" is not closed by a \")\"."))?;
        if self.rest.is_empty() || self.rest.starts_with([',', ')']) {
            Ok(children)
        } else {
            Err(invalid("After a \")\" there must be a comma or the end."))
        }
    }
}

fn invalid(detail: &str) -> QueryError {
    QueryError::new(QueryErrorCode::Fields, "fields", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(nodes: &[FieldNode]) -> String {
        let shown = nodes.iter().map(|node| match node.children.as_slice() {
            [] => node.name.clone(),
            children => format!("{}({})", node.name, show(children)),
        });
        shown.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn both_spellings_give_the_same_tree() {
        let check =
            |text: &str, expected: &str| assert_eq!(show(&parse_fields(text).unwrap()), expected);
        check("id", "id");
        check("id,author.name", "id,author(name)");
        check(
            "author(name,company.city),id",
            "author(name,company(city)),id",
        );
        check("a.b.c.d", "a(b(c(d)))");
        check("a.b(c,d)", "a(b(c,d))");
        check("__proto__,\"x\"; DROP", "__proto__,\"x\"; DROP");
    }

    #[test]
    fn malformed_selections_are_refused() {
        let check = |text: &str, code: QueryErrorCode| {
            assert_eq!(parse_fields(text).unwrap_err().code, code, "{text}");
        };
        for text in [
            "", ",", "a,", ",a", "a..b", "a.", "(", "a(", "a()", "a(b", "a)", "a(b))", "a(b)c",
            "a(b).c",
        ] {
            check(text, QueryErrorCode::Fields);
        }
        check("a.b.c.d.e", QueryErrorCode::TooMuch);
        check(&"a(".repeat(5000), QueryErrorCode::TooMuch);
        check(
            &vec!["a"; MOST_SELECTED + 1].join(","),
            QueryErrorCode::TooMuch,
        );
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[ab.,()]{0,40}") {
            if let Ok(nodes) = parse_fields(&text) {
                prop_assert_eq!(parse_fields(&show(&nodes)).unwrap(), nodes);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".*") {
            let _ = parse_fields(&text);
        }
    }
}
