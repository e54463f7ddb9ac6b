//! Values as bytes, exactly.

use crate::statement::Value;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const RAW_TEXT: u8 = 4;
const BLOB: u8 = 5;

pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Integer(integer) => {
            out.push(INTEGER);
            out.extend_from_slice(&integer.to_be_bytes());
        }
        Value::Real(real) => {
            out.push(REAL);
            out.extend_from_slice(&real.to_bits().to_be_bytes());
        }
        Value::Text(text) => write_bytes(TEXT, text.as_bytes(), out),
        Value::RawText(bytes) => write_bytes(RAW_TEXT, bytes, out),
        Value::Blob(bytes) => write_bytes(BLOB, bytes, out),
    }
}

fn write_bytes(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    // What does not fit 32 bits is far too long for a cursor, which is then not made.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.push(kind);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Reads one value from the front of `bytes`.
pub(super) fn read(bytes: &mut &[u8]) -> Option<Value> {
    let (&kind, rest) = bytes.split_first()?;
    *bytes = rest;
    match kind {
        NULL => Some(Value::Null),
        INTEGER => Some(Value::Integer(i64::from_be_bytes(take(bytes)?))),
        REAL => Some(Value::Real(f64::from_bits(u64::from_be_bytes(take(
            bytes,
        )?)))),
        TEXT => String::from_utf8(read_bytes(bytes)?.to_vec())
            .ok()
            .map(Value::Text),
        RAW_TEXT => read_bytes(bytes).map(|bytes| Value::RawText(bytes.to_vec())),
        BLOB => read_bytes(bytes).map(|bytes| Value::Blob(bytes.to_vec())),
        _ => None,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn read_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_be_bytes(take(bytes)?)).ok()?;
    let (read, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(read)
}
