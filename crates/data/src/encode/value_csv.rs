//! One value as a CSV field (RFC 4180), safe to open in a spreadsheet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::catalog::ColumnKind;
use crate::cell::Cell;

/// Writes a cell as a CSV field. `NULL` is an empty field, an empty text is `""`.
///
/// Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, tab or carriage
/// return) gets a `'` in front; numbers do not.
pub(crate) fn write_field(cell: Cell<'_>, kind: ColumnKind, out: &mut Vec<u8>) {
    match cell {
        Cell::Integer(0) if kind == ColumnKind::Boolean => out.extend_from_slice(b"false"),
        Cell::Integer(1) if kind == ColumnKind::Boolean => out.extend_from_slice(b"true"),
        Cell::Integer(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        Cell::Real(number) if number.is_finite() => {
            serde_json::to_writer(out, &number).expect("writing a number into memory cannot fail");
        }
        Cell::Single(number) if number.is_finite() => {
            serde_json::to_writer(out, &number).expect("writing a number into memory cannot fail");
        }
        Cell::Decimal(number) if number.is_finite() => number.write(out),
        Cell::Text(text) | Cell::Json(text) => write_text(text, out),
        Cell::Moment(moment) => write_text(moment.text().as_bytes(), out),
        Cell::Uuid(uuid) => out.extend_from_slice(&uuid.text()),
        Cell::Blob(bytes) => out.extend_from_slice(STANDARD.encode(bytes).as_bytes()),
        // What has no text form is an empty field, like `NULL`.
        Cell::Null | Cell::Real(_) | Cell::Single(_) | Cell::Decimal(_) => {}
    }
}

/// Writes text as a field, quoted where it must be.
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let formula = matches!(
        text.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
    );
    let quoted = text.is_empty()
        || text
            .iter()
            .any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'));
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    for chunk in text.utf8_chunks() {
        for part in chunk
            .valid()
            .as_bytes()
            .split_inclusive(|byte| *byte == b'"')
        {
            out.extend_from_slice(part);
            if part.ends_with(b"\"") {
                out.push(b'"');
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: Cell<'_>, expected: &str) {
        let mut out = Vec::new();
        write_field(cell, ColumnKind::Any, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn fields_are_quoted_where_the_rfc_says() {
        check(Cell::Null, "");
        check(Cell::Text(b""), "\"\"");
        check(Cell::Text(b"plain text"), "plain text");
        check(Cell::Text(b"a,b"), "\"a,b\"");
        check(Cell::Text(b"say \"hi\""), "\"say \"\"hi\"\"\"");
        check(Cell::Text(b"two\r\nlines"), "\"two\r\nlines\"");
        check(Cell::Blob(b"\x00\xff\x10"), "AP8Q");
    }

    #[test]
    fn a_text_cannot_be_a_formula_and_a_number_stays_one() {
        check(Cell::Text(b"=1+1"), "'=1+1");
        check(Cell::Text(b"@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
        check(Cell::Text(b"\tx"), "'\tx");
        check(Cell::Text(b"-5"), "'-5");
        check(Cell::Integer(-5), "-5");
        check(Cell::Real(-0.5), "-0.5");
    }
}
