//! What Vitess calls the types of columns.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};

/// The charset of bytes.
pub(super) const BINARY: u16 = 63;

/// The type's name; empty for `NULL`, which is the first of the names and therefore left out.
pub(super) fn name(column: &Column) -> &'static str {
    let flags = column.flags();
    let either = |signed, unsigned| {
        if flags.contains(ColumnFlags::UNSIGNED_FLAG) {
            unsigned
        } else {
            signed
        }
    };
    let bytes_or = |text, bytes| {
        if flags.contains(ColumnFlags::BINARY_FLAG) {
            bytes
        } else {
            text
        }
    };
    match column.column_type() {
        ColumnType::MYSQL_TYPE_NULL => "",
        ColumnType::MYSQL_TYPE_TINY => either("INT8", "UINT8"),
        ColumnType::MYSQL_TYPE_SHORT => either("INT16", "UINT16"),
        ColumnType::MYSQL_TYPE_INT24 => either("INT24", "UINT24"),
        ColumnType::MYSQL_TYPE_LONG => either("INT32", "UINT32"),
        ColumnType::MYSQL_TYPE_LONGLONG => either("INT64", "UINT64"),
        ColumnType::MYSQL_TYPE_FLOAT => "FLOAT32",
        ColumnType::MYSQL_TYPE_DOUBLE => "FLOAT64",
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => "DECIMAL",
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => "TIMESTAMP",
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => "DATETIME",
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => "DATE",
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => "TIME",
        ColumnType::MYSQL_TYPE_YEAR => "YEAR",
        ColumnType::MYSQL_TYPE_BIT => "BIT",
        ColumnType::MYSQL_TYPE_JSON => "JSON",
        ColumnType::MYSQL_TYPE_GEOMETRY => "GEOMETRY",
        ColumnType::MYSQL_TYPE_ENUM => "ENUM",
        ColumnType::MYSQL_TYPE_SET => "SET",
        ColumnType::MYSQL_TYPE_STRING if flags.contains(ColumnFlags::ENUM_FLAG) => "ENUM",
        ColumnType::MYSQL_TYPE_STRING if flags.contains(ColumnFlags::SET_FLAG) => "SET",
        ColumnType::MYSQL_TYPE_STRING => bytes_or("CHAR", "BINARY"),
        ColumnType::MYSQL_TYPE_VARCHAR | ColumnType::MYSQL_TYPE_VAR_STRING => {
            bytes_or("VARCHAR", "VARBINARY")
        }
        _ => bytes_or("TEXT", "BLOB"),
    }
}

/// Whether it may be JSON, which this server keeps as long text with a rule.
pub(super) fn may_be_json(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_BLOB
        && column.character_set() != BINARY
        && column.column_length() == u32::MAX
        && !column.org_table_ref().is_empty()
}
