//! Columns of an answer, in the terms of MySQL's own protocol: so that values mean the same whichever way they came.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use serde::Deserialize;

/// The character set of text.
const UTF8MB4: u16 = 45;
/// The character set that is none: bytes.
const BINARY: u16 = 63;

/// As the vendor describes it. What is zero or empty is left out.
#[derive(Debug, Deserialize)]
pub(super) struct Field {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    charset: u16,
    #[serde(default)]
    flags: u16,
}

impl Field {
    pub(super) fn column(&self) -> Column {
        let mut flags = ColumnFlags::from_bits_truncate(self.flags);
        let mut charset = self.charset;
        let kind = match self.kind.as_str() {
            "" | "NULL" | "NULL_TYPE" => ColumnType::MYSQL_TYPE_NULL,
            "INT8" | "UINT8" => ColumnType::MYSQL_TYPE_TINY,
            "INT16" | "UINT16" => ColumnType::MYSQL_TYPE_SHORT,
            "INT24" | "UINT24" => ColumnType::MYSQL_TYPE_INT24,
            "INT32" | "UINT32" => ColumnType::MYSQL_TYPE_LONG,
            "INT64" | "UINT64" => ColumnType::MYSQL_TYPE_LONGLONG,
            "FLOAT32" => ColumnType::MYSQL_TYPE_FLOAT,
            "FLOAT64" => ColumnType::MYSQL_TYPE_DOUBLE,
            "DECIMAL" => ColumnType::MYSQL_TYPE_NEWDECIMAL,
            "YEAR" => ColumnType::MYSQL_TYPE_YEAR,
            "DATE" => ColumnType::MYSQL_TYPE_DATE,
            "DATETIME" => ColumnType::MYSQL_TYPE_DATETIME,
            "TIMESTAMP" => ColumnType::MYSQL_TYPE_TIMESTAMP,
            "TIME" => ColumnType::MYSQL_TYPE_TIME,
            "BIT" => ColumnType::MYSQL_TYPE_BIT,
            "JSON" => ColumnType::MYSQL_TYPE_JSON,
            "ENUM" => {
                flags |= ColumnFlags::ENUM_FLAG;
                ColumnType::MYSQL_TYPE_STRING
            }
            "SET" => {
                flags |= ColumnFlags::SET_FLAG;
                ColumnType::MYSQL_TYPE_STRING
            }
            "GEOMETRY" => ColumnType::MYSQL_TYPE_GEOMETRY,
            // Columns with a binary collation are called so too: the character set says which is meant.
            "BLOB" | "BINARY" | "VARBINARY" | "VECTOR" => {
                if charset == 0 {
                    charset = BINARY;
                }
                ColumnType::MYSQL_TYPE_VAR_STRING
            }
            _ => ColumnType::MYSQL_TYPE_VAR_STRING,
        };
        if charset == 0 {
            charset = UTF8MB4;
        }
        Column::new(kind)
            .with_name(self.name.as_bytes())
            .with_flags(flags)
            .with_character_set(charset)
    }
}
