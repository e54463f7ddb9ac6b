//! One value as JSON, by what the database holds and what the column was declared for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json_text::write_string;
use crate::catalog::ColumnKind;
use crate::cell::Cell;

/// Writes a cell as a JSON value.
///
/// Integers keep all digits (above 2^53 many readers round them); doubles are written in the shortest
/// form that reads back the same, infinities as `null`; bytes are base64 (RFC 4648 section 4). Only
/// columns declared boolean turn 0 and 1 into `false` and `true`, only columns declared JSON put
/// text that is valid JSON into the document as it is.
pub(crate) fn write_value(cell: Cell<'_>, kind: ColumnKind, out: &mut Vec<u8>) {
    match cell {
        Cell::Integer(number) => write_integer(number, kind, out),
        Cell::Real(number) => write_real(number, out),
        Cell::Text(text) if kind == ColumnKind::Json && is_json(text) => {
            out.extend_from_slice(text);
        }
        Cell::Text(text) => write_string(text, out),
        Cell::Blob(bytes) => write_base64(bytes, out),
        Cell::Single(number) => {
            serde_json::to_writer(out, &number).expect("writing a number into memory cannot fail");
        }
        Cell::Decimal(number) if number.is_finite() => number.write(out),
        Cell::Null | Cell::Decimal(_) => out.extend_from_slice(b"null"),
        Cell::Json(text) => out.extend_from_slice(text),
        Cell::Moment(moment) => write_string(moment.text().as_bytes(), out),
        Cell::Uuid(uuid) => write_string(&uuid.text(), out),
    }
}

fn write_integer(number: i64, kind: ColumnKind, out: &mut Vec<u8>) {
    match (kind, number) {
        (ColumnKind::Boolean, 0) => out.extend_from_slice(b"false"),
        (ColumnKind::Boolean, 1) => out.extend_from_slice(b"true"),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

fn write_real(number: f64, out: &mut Vec<u8>) {
    // serde_json writes the shortest form, keeps `.0`, and turns what JSON cannot say into null.
    serde_json::to_writer(out, &number).expect("writing a number into memory cannot fail");
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), true)
        .expect("a blob is far smaller than the address space");
    out.resize(start + length, 0);
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("the room was measured");
    out.push(b'"');
}

/// Checked without building a tree; depth is bounded by the parser.
fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Decimal, Moment};

    fn check(cell: Cell<'_>, kind: ColumnKind, expected: &str) {
        let mut out = Vec::new();
        write_value(cell, kind, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn values_keep_their_type() {
        check(Cell::Null, ColumnKind::Text, "null");
        check(
            Cell::Integer(i64::MIN),
            ColumnKind::Integer,
            "-9223372036854775808",
        );
        check(Cell::Integer(1), ColumnKind::Boolean, "true");
        check(Cell::Integer(2), ColumnKind::Boolean, "2");
        check(Cell::Real(1.0), ColumnKind::Numeric, "1.0");
        check(Cell::Real(0.1), ColumnKind::Real, "0.1");
        check(Cell::Real(f64::INFINITY), ColumnKind::Real, "null");
        check(Cell::Blob(b"\x00\xff\x10"), ColumnKind::Blob, "\"AP8Q\"");
        check(Cell::Blob(b""), ColumnKind::Blob, "\"\"");
        check(Cell::Text(b"7"), ColumnKind::Integer, "\"7\"");
        check(Cell::Single(0.1), ColumnKind::Real, "0.1");
        check(Cell::Single(f32::NAN), ColumnKind::Real, "null");
        let digits = Decimal::from_text(b"12345678901234567890.10");
        check(
            Cell::Decimal(digits),
            ColumnKind::Decimal,
            "12345678901234567890.10",
        );
        let none = Cell::Decimal(Decimal::from_text(b"NaN"));
        check(none, ColumnKind::Decimal, "null");
        check(Cell::Json(b"[1, 2]"), ColumnKind::Composite, "[1, 2]");
        let date = Cell::Moment(Moment::Date(0));
        check(date, ColumnKind::Date, "\"1970-01-01\"");
    }

    #[test]
    fn only_declared_and_valid_json_is_passed_through() {
        check(
            Cell::Text(br#"{"a":[1]}"#),
            ColumnKind::Json,
            r#"{"a":[1]}"#,
        );
        check(Cell::Text(b"{\"a\":"), ColumnKind::Json, "\"{\\\"a\\\":\"");
        check(Cell::Text(b"1} x"), ColumnKind::Json, "\"1} x\"");
        check(Cell::Text(b"{}"), ColumnKind::Text, "\"{}\"");
    }
}
