//! What the text of a statement holds outside of its quotes and comments.

/// What the vendor does not take, though the server behind this double would.
pub(super) fn objection(sql: &str) -> Option<&'static str> {
    let bare = bare(sql);
    let rest = bare.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    if rest.contains(';') {
        return Some("syntax error: more than one statement");
    }
    let returns = rest
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| word.eq_ignore_ascii_case("returning"));
    returns.then_some("syntax error near 'returning'")
}

/// The text without what stands in quotes and comments.
fn bare(sql: &str) -> String {
    let mut bare = String::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' | '`' => {
                bare.push(' ');
                // A doubled quote is two quoted texts here, which makes no difference.
                while let Some(inner) = rest.next() {
                    if inner == '\\' && c != '`' {
                        rest.next();
                    } else if inner == c {
                        break;
                    }
                }
            }
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                let mut before = ' ';
                for inner in rest.by_ref() {
                    if before == '*' && inner == '/' {
                        break;
                    }
                    before = inner;
                }
            }
            '#' => {
                rest.by_ref().find(|&inner| inner == '\n');
            }
            c => bare.push(c),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_quoted_counts() {
        for fine in [
            "SELECT 1",
            "SELECT 1; \n",
            r"SELECT ';', 'it''s; \'; x', `a;b`, 1",
            "SELECT 1 /* ; returning */",
            "SELECT returning_customers FROM t",
        ] {
            assert_eq!(objection(fine), None, "{fine}");
        }
        for refused in [
            "SELECT 1; SELECT 2",
            r"SELECT '\\'; DROP TABLE t",
            "INSERT INTO t VALUES (1) RETURNING id",
        ] {
            assert!(objection(refused).is_some(), "{refused}");
        }
    }
}
