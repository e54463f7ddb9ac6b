//! Results as the JSON that drivers expect.

use paceline_data::postgres::text::{ArrayOf, Field, TextResult, TextRow};
use serde_json::json;

use super::array;
use super::request::Form;

/// Types by the number `PostgreSQL` has for them.
const BOOL: u32 = 16;
const INT2: u32 = 21;
const INT4: u32 = 23;
const JSON: u32 = 114;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const JSONB: u32 = 3802;

/// Writes one result.
pub(super) fn result(result: &TextResult, form: Form, out: &mut Vec<u8>) {
    let fields: Vec<_> = result.fields().iter().map(described).collect();
    let fields = json!(fields).to_string();
    out.extend_from_slice(b"{\"fields\":");
    out.extend_from_slice(fields.as_bytes());
    out.extend_from_slice(b",\"rows\":[");
    let shown = Shown::new(result.fields(), form);
    for (index, row) in result.rows().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        shown.row(row, out);
    }
    let rest = format!(
        "],\"command\":{},\"rowCount\":{},\"rowAsArray\":{}}}",
        json!(result.command()),
        json!(result.row_count()),
        form.arrays
    );
    out.extend_from_slice(rest.as_bytes());
}

/// Writes the results of a batch.
pub(super) fn batch(results: &[(TextResult, Form)], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"results\":[");
    for (index, (one, form)) in results.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        result(one, *form, out);
    }
    out.extend_from_slice(b"]}");
}

fn described(field: &Field) -> serde_json::Value {
    json!({
        "name": field.name,
        "dataTypeID": field.type_oid,
        "tableID": field.table_oid,
        "columnID": field.column,
        "dataTypeSize": field.type_size,
        "dataTypeModifier": field.type_modifier,
        "format": "text",
    })
}

/// How rows are written.
struct Shown<'a> {
    form: Form,
    fields: &'a [Field],
    /// The names as JSON; `None` for one that a later column has too, which then counts.
    names: Vec<Option<String>>,
}

impl<'a> Shown<'a> {
    fn new(fields: &'a [Field], form: Form) -> Self {
        let name = |(index, field): (usize, &Field)| {
            let later = fields[index + 1..].iter();
            let is_last = later.into_iter().all(|other| other.name != field.name);
            is_last.then(|| json!(field.name).to_string())
        };
        let named = !form.arrays;
        Self {
            form,
            fields,
            names: fields
                .iter()
                .enumerate()
                .filter(|_| named)
                .map(name)
                .collect(),
        }
    }

    fn row(&self, row: TextRow<'_>, out: &mut Vec<u8>) {
        let (open, close) = if self.form.arrays {
            (b'[', b']')
        } else {
            (b'{', b'}')
        };
        out.push(open);
        let mut is_first = true;
        for (index, value) in row.values().enumerate() {
            let name = match self.names.get(index) {
                Some(None) => continue,
                Some(Some(name)) => Some(name),
                None => None,
            };
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            if let Some(name) = name {
                out.extend_from_slice(name.as_bytes());
                out.push(b':');
            }
            match value {
                None => out.extend_from_slice(b"null"),
                Some(value) => {
                    // The client encoding is UTF-8; only a database without any encoding sends other bytes.
                    let text = String::from_utf8_lossy(value);
                    self.value(&text, index, out);
                }
            }
        }
        out.push(close);
    }

    fn value(&self, value: &str, index: usize, out: &mut Vec<u8>) {
        let field = &self.fields[index];
        match field.array_of {
            _ if self.form.raw => text(value, out),
            Some(ArrayOf {
                type_oid,
                delimiter,
            }) => {
                let begin = out.len();
                let mut element = |text: &str, out: &mut Vec<u8>| typed(text, type_oid, out);
                if array::write(value, delimiter, out, &mut element).is_none() {
                    out.truncate(begin);
                    text(value, out);
                }
            }
            None => typed(value, field.type_oid, out),
        }
    }
}

/// Numbers that JavaScript holds exactly, truth values and JSON as what they are; everything else as text, 64-bit
/// integers and decimals among it.
fn typed(value: &str, type_oid: u32, out: &mut Vec<u8>) {
    match type_oid {
        INT2 | INT4 | JSON | JSONB => out.extend_from_slice(value.as_bytes()),
        FLOAT4 | FLOAT8 if value.bytes().any(|byte| byte.is_ascii_digit()) => {
            out.extend_from_slice(value.as_bytes());
        }
        BOOL => out.extend_from_slice(if value == "t" { b"true" } else { b"false" }),
        _ => text(value, out),
    }
}

fn text(value: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("memory takes it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_javascript_holds_exactly_is_no_text() {
        let check = |value: &str, type_oid, expected: &str| {
            let mut out = Vec::new();
            typed(value, type_oid, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check("-7", INT4, "-7");
        check("1e+300", FLOAT8, "1e+300");
        check("NaN", FLOAT8, "\"NaN\"");
        check("-Infinity", FLOAT4, "\"-Infinity\"");
        check("t", BOOL, "true");
        check("{\"a\": 1}", JSONB, "{\"a\": 1}");
        check("9223372036854775807", 20, "\"9223372036854775807\"");
        check("1.10", 1700, "\"1.10\"");
        check("a\"\n", 25, "\"a\\\"\\n\"");
    }
}
