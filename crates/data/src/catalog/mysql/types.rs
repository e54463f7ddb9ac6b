//! What a type is taken to hold, and in which form its values are asked for.

use std::fmt::Write as _;

use crate::catalog::{ColumnKind, Native, Shown};

/// A type as `information_schema.COLUMNS` describes it.
#[derive(Debug)]
pub(super) struct Described<'row> {
    /// `bigint`.
    pub(super) name: &'row str,
    /// `bigint(20) unsigned`.
    pub(super) declared: &'row str,
    pub(super) digits: u64,
    /// Digits behind the point.
    pub(super) scale: u64,
    pub(super) labels: &'row [String],
    /// Whether a check says that the text is JSON.
    pub(super) is_json: bool,
}

/// The most digits of a decimal number, and the most behind its point.
const MOST_DIGITS: u64 = 65;
const MOST_SCALE: u64 = 30;

/// The kind of a type's values, and what the engine must know of it: [`Native::type_name`] is what
/// [`SqlDialect`](crate::SqlDialect) turns into the way a value is compared.
pub(super) fn kind(described: &Described<'_>) -> (ColumnKind, Native) {
    let unsigned = described.declared.contains("unsigned");
    let (kind, shown) = match described.name {
        "tinyint" if described.declared.starts_with("tinyint(1)") => {
            (ColumnKind::Boolean, Shown::AsIs)
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => {
            (ColumnKind::Integer, Shown::AsIs)
        }
        "bit" if described.declared == "bit(1)" => (ColumnKind::Boolean, Shown::AsNumber),
        "bit" => (ColumnKind::Integer, Shown::AsNumber),
        "float" => (ColumnKind::Real, Shown::AsDouble),
        "double" => (ColumnKind::Real, Shown::AsIs),
        "decimal" => (ColumnKind::Decimal, Shown::AsIs),
        "date" => (ColumnKind::Date, Shown::AsIs),
        "datetime" | "timestamp" => (ColumnKind::DateTime, Shown::AsIs),
        "time" => (ColumnKind::Time, Shown::AsIs),
        "json" => (ColumnKind::Json, Shown::AsIs),
        _ if described.is_json => (ColumnKind::Json, Shown::AsIs),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            (ColumnKind::Text, Shown::AsIs)
        }
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            (ColumnKind::Blob, Shown::AsIs)
        }
        "enum" => (ColumnKind::Enum, Shown::AsIs),
        "uuid" => (ColumnKind::Uuid, Shown::AsText),
        // GeoJSON, which is not read back.
        name if is_geometry(name) => (ColumnKind::Json, Shown::AsJson),
        _ => (ColumnKind::Other, Shown::AsText),
    };
    let native = Native {
        type_name: type_name(described, unsigned),
        shown,
        comparable: !matches!(kind, ColumnKind::Json | ColumnKind::Blob) && described.name != "set",
    };
    (kind, native)
}

fn is_geometry(name: &str) -> bool {
    matches!(
        name,
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geometrycollection"
            | "geomcollection"
    )
}

fn type_name(described: &Described<'_>, unsigned: bool) -> String {
    match described.name {
        "decimal" => {
            // Wide enough for what the column holds, and else as exact as can be.
            let whole = described.digits.saturating_sub(described.scale);
            let scale = MOST_SCALE.min(MOST_DIGITS.saturating_sub(whole));
            format!("decimal({MOST_DIGITS},{scale})")
        }
        "enum" => {
            let labels: Vec<String> = described
                .labels
                .iter()
                .map(|label| literal(label))
                .collect();
            format!("enum({})", labels.join(","))
        }
        name if is_geometry(name) => "geometry".to_owned(),
        name if unsigned => format!("{name} unsigned"),
        name => name.to_owned(),
    }
}

/// A label as a literal that means the same in every session, in bytes where it holds what is written in two ways.
fn literal(label: &str) -> String {
    if label.contains(['\'', '\\', '\0']) {
        let mut literal = "_utf8mb4 x'".to_owned();
        for byte in label.bytes() {
            let _ = write!(literal, "{byte:02x}");
        }
        literal + "'"
    } else {
        format!("'{label}'")
    }
}

/// The labels in `enum('a','b')`: quotes in them are doubled.
pub(super) fn labels(declared: &str) -> Vec<String> {
    let inner = declared
        .strip_prefix("enum(")
        .or_else(|| declared.strip_prefix("ENUM("))
        .and_then(|rest| rest.strip_suffix(')'));
    let mut labels = Vec::new();
    let mut characters = inner.unwrap_or_default().chars().peekable();
    while let Some(mark) = characters.next() {
        if mark != '\'' {
            continue;
        }
        let mut label = String::new();
        while let Some(character) = characters.next() {
            match character {
                '\'' if characters.next_if_eq(&'\'').is_none() => break,
                character => label.push(character),
            }
        }
        labels.push(label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_kinds() {
        let check = |declared: &str, expected: (ColumnKind, Shown, &str)| {
            let name = declared.split(['(', ' ']).next().unwrap();
            let (kind, native) = kind(&Described {
                name,
                declared,
                digits: 10,
                scale: 2,
                labels: &labels(declared),
                is_json: false,
            });
            let found = (kind, native.shown, native.type_name.as_str());
            assert_eq!(found, expected, "{declared}");
        };
        let (is, text, json) = (Shown::AsIs, Shown::AsText, Shown::AsJson);
        check("tinyint(1)", (ColumnKind::Boolean, is, "tinyint"));
        check("tinyint(4)", (ColumnKind::Integer, is, "tinyint"));
        check(
            "bigint(20) unsigned",
            (ColumnKind::Integer, is, "bigint unsigned"),
        );
        check("bit(1)", (ColumnKind::Boolean, Shown::AsNumber, "bit"));
        check("float", (ColumnKind::Real, Shown::AsDouble, "float"));
        check("decimal(10,2)", (ColumnKind::Decimal, is, "decimal(65,30)"));
        check("timestamp(6)", (ColumnKind::DateTime, is, "timestamp"));
        check("varchar(50)", (ColumnKind::Text, is, "varchar"));
        check("varbinary(16)", (ColumnKind::Blob, is, "varbinary"));
        check("uuid", (ColumnKind::Uuid, text, "uuid"));
        check("inet6", (ColumnKind::Other, text, "inet6"));
        check("set('a','b')", (ColumnKind::Other, text, "set"));
        check("point", (ColumnKind::Json, json, "geometry"));
        check(
            "enum('a','it''s')",
            (ColumnKind::Enum, is, "enum('a',_utf8mb4 x'69742773')"),
        );
    }

    #[test]
    fn wide_decimals_lose_no_digit() {
        let wide = Described {
            name: "decimal",
            declared: "decimal(65,0)",
            digits: 65,
            scale: 0,
            labels: &[],
            is_json: false,
        };
        assert_eq!(kind(&wide).1.type_name, "decimal(65,0)");
    }

    #[test]
    fn labels_are_read_whole() {
        assert_eq!(
            labels("enum('a','b,c','it''s','')"),
            ["a", "b,c", "it's", ""]
        );
        assert!(labels("int(11)").is_empty());
    }
}
