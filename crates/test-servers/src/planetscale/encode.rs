//! Results in the vendor's form: JSON as protobuf writes it, where what is zero or empty is left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mysql_async::{Column, Row, Value as Cell};
use serde_json::{Map, Value, json};

use super::vendor_type::{self, BINARY};

/// A column's description. `json` says that it is JSON, which the server does not tell.
pub(super) fn field(column: &Column, json: bool) -> Value {
    let mut field = Map::new();
    let mut put = |name: &str, value: Value| {
        if value != json!("") && value != json!(0) {
            field.insert(name.to_owned(), value);
        }
    };
    put("name", json!(column.name_str()));
    let name = if json {
        "JSON"
    } else {
        vendor_type::name(column)
    };
    put("type", json!(name));
    put("table", json!(column.table_str()));
    put("orgTable", json!(column.org_table_str()));
    put("database", json!(column.schema_str()));
    put("orgName", json!(column.org_name_str()));
    put("columnLength", json!(column.column_length()));
    let charset = if json { BINARY } else { column.character_set() };
    put("charset", json!(charset));
    put("decimals", json!(column.decimals()));
    put("flags", json!(column.flags().bits()));
    Value::Object(field)
}

/// A row: the lengths of its values, and all of them behind each other.
pub(super) fn row(row: Row) -> Value {
    let mut lengths = Vec::new();
    let mut values = Vec::new();
    for cell in row.unwrap() {
        match cell {
            Cell::NULL => lengths.push("-1".to_owned()),
            Cell::Bytes(bytes) => {
                lengths.push(bytes.len().to_string());
                values.extend_from_slice(&bytes);
            }
            other => unreachable!("the text protocol has no {other:?}"),
        }
    }
    if values.is_empty() {
        json!({"lengths": lengths})
    } else {
        json!({"lengths": lengths, "values": STANDARD.encode(values)})
    }
}

/// A count, as a text; left out when it is zero.
pub(super) fn count(into: &mut Map<String, Value>, name: &str, count: u64) {
    if count != 0 {
        into.insert(name.to_owned(), json!(count.to_string()));
    }
}
