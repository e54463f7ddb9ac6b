//! One field of CSV (RFC 4180), safe to open in a spreadsheet.

/// Writes text as a field, quoted where it must be. An empty text is `""`: an empty field is no value.
///
/// With `guarded`, text that a spreadsheet would run as a formula gets a `'` in front.
pub(super) fn write_text(text: &str, guarded: bool, out: &mut Vec<u8>) {
    let formula = guarded && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = text.is_empty() || text.contains(['"', ',', '\r', '\n']);
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    for part in text.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_where_it_must_be_and_formulas_are_guarded() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            write_text(text, true, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text:?}");
        };
        check("plain text", "plain text");
        check("", "\"\"");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=SUM(A1)", "'=SUM(A1)");
        check("-1", "'-1");
        check("@x,\"", "\"'@x,\"\"\"");
        check("\r\n", "\"'\r\n\"");
        let mut out = Vec::new();
        write_text("=1", false, &mut out);
        assert_eq!(out, b"=1");
    }
}
