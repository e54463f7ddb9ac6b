//! Values in the text of statements.

use paceline_data::Value;
use paceline_data::planetscale::literal;

/// A literal ends where it ends and nowhere else, and reads back as the value it was made of: by a reader of MySQL's
/// rules that shares nothing with the writer.
///
/// # Panics
/// When it does not: that is the finding.
pub fn sql_literal(data: &[u8]) {
    let bytes = literal(&Value::Blob(data.to_vec())).expect("bytes have a literal");
    assert_eq!(read_bytes(&bytes).as_deref(), Some(data), "{bytes}");
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let literal = literal(&Value::Text(text.to_owned())).expect("text has a literal");
    // What stands behind must still be there when the literal is over.
    let sql = format!("{literal} AND 1");
    let (read, rest) = read_text(&sql).expect("it ends");
    assert_eq!((read.as_str(), rest), (text, " AND 1"), "{literal}");
}

/// The text of a literal in single quotes, and what stands behind it.
fn read_text(sql: &str) -> Option<(String, &str)> {
    let mut rest = sql.strip_prefix('\'')?;
    let mut text = String::new();
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '\'' => match rest.strip_prefix('\'') {
                Some(doubled) => {
                    text.push('\'');
                    rest = doubled;
                }
                None => return Some((text, rest)),
            },
            '\\' => {
                let c = rest.chars().next()?;
                rest = &rest[c.len_utf8()..];
                // These two keep their backslash.
                if matches!(c, '%' | '_') {
                    text.push('\\');
                }
                text.push(match c {
                    '0' => '\0',
                    'b' => '\u{8}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'Z' => '\u{1a}',
                    c => c,
                });
            }
            c => text.push(c),
        }
    }
}

/// The bytes of a hexadecimal literal.
fn read_bytes(sql: &str) -> Option<Vec<u8>> {
    let digits = sql.strip_prefix("x'")?.strip_suffix('\'')?;
    let bytes = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16)
            .ok()
            .filter(|_| pair.len() == 2)
    });
    bytes.collect()
}
