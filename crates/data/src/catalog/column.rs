//! One column of a table, and the kind of value it is taken to hold.

use std::sync::Arc;

/// What a column's values are taken to be, for typing filters and encoding rows.
///
/// SQLite lets any value into most columns; the kind follows the declared type: first by the names
/// people use for what SQLite has no storage class for (`BOOLEAN`, `DATE`, `DATETIME`, `TIMESTAMP`,
/// `JSON`), then by the affinity rules of <https://sqlite.org/datatype3.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Doubles.
    Real,
    /// Text.
    Text,
    /// Bytes; base64 in JSON.
    Blob,
    /// Stored as 0 and 1; `false` and `true` in JSON.
    Boolean,
    /// Whole numbers or doubles, as stored.
    Numeric,
    /// A calendar date, passed as stored.
    Date,
    /// A point in time, passed as stored.
    DateTime,
    /// JSON text, part of the document when it is valid.
    Json,
    /// Decimal numbers with all their digits.
    Decimal,
    /// A universally unique identifier, in its 36 characters.
    Uuid,
    /// A time of day.
    Time,
    /// One of a few labels.
    Enum,
    /// Several values in one: an array or a row. An array or object in JSON.
    Composite,
    /// A type of the engine's own, as the engine writes it as text.
    Other,
    /// No declared type: whatever is stored.
    Any,
}

impl ColumnKind {
    /// The kind for a declared type, as it stands in `CREATE TABLE`.
    ///
    /// ```
    /// use paceline_data::catalog::ColumnKind;
    /// assert_eq!(ColumnKind::from_declared("NVARCHAR(160)"), ColumnKind::Text);
    /// assert_eq!(ColumnKind::from_declared("decimal(10,2)"), ColumnKind::Numeric);
    /// ```
    pub fn from_declared(declared: &str) -> Self {
        let upper = declared.trim().to_ascii_uppercase();
        let word = upper
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        match word {
            "" | "ANY" => return Self::Any,
            "BOOL" | "BOOLEAN" => return Self::Boolean,
            "DATE" => return Self::Date,
            "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" => return Self::DateTime,
            "JSON" | "JSONB" => return Self::Json,
            _ => {}
        }
        let has = |part: &str| upper.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// What a value of this kind is called in a message: "a whole number".
    pub fn expectation(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Real | Self::Numeric | Self::Decimal => "a number",
            Self::Text => "text",
            Self::Blob => "bytes",
            Self::Boolean => "true or false",
            Self::Date => "a date such as 2026-01-31",
            Self::DateTime => "a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z",
            Self::Json => "JSON text",
            Self::Uuid => "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
            Self::Time => "a time such as 12:30:00",
            Self::Enum => "one of its labels",
            Self::Composite => "an array or a composite value",
            Self::Any | Self::Other => "a value",
        }
    }
}

/// One column.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a schema, not states"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name as the schema spells it.
    pub name: String,
    /// The declared type as the schema spells it; empty when there is none.
    pub declared: String,
    /// The kind of value.
    pub kind: ColumnKind,
    /// Whether the schema lets `NULL` in. A primary key that SQLite does not protect counts as nullable.
    pub nullable: bool,
    /// Whether an insert may leave the column out because the schema has a default.
    pub has_default: bool,
    /// Whether the database computes the value; such a column cannot be written.
    pub generated: bool,
    /// The place in the primary key, counted from 0.
    pub key_position: Option<usize>,
    /// Whether this is the table's `INTEGER PRIMARY KEY`, another name of the rowid.
    pub rowid_alias: bool,
    /// Whether the schema says `AUTOINCREMENT`.
    pub autoincrement: bool,
    /// The values an enum has, in its order.
    pub labels: Option<Arc<[String]>>,
    /// The type, where the engine has strict ones.
    pub native: Option<Native>,
}

/// What an engine with strict types needs to know of a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// The type's name as it stands in SQL: quoted, with its schema where that is needed, without a length.
    /// For a domain it is that of the type beneath.
    pub type_name: String,
    /// In which form the values are answered.
    pub shown: Shown,
    /// Whether two values can be compared and sorted.
    pub comparable: bool,
}

/// In which form a statement asks for values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// As they are: the driver's bytes are understood.
    AsIs,
    /// As the database writes them as text.
    AsText,
    /// As the database writes them as JSON.
    AsJson,
    /// As the number that is meant: bits.
    AsNumber,
    /// As doubles: singles that would lose digits on the way.
    AsDouble,
}

impl Column {
    /// Whether values of the column can be compared with others, and sorted.
    pub fn is_comparable(&self) -> bool {
        self.native.as_ref().is_none_or(|native| native.comparable)
    }

    /// Whether an insert may leave the column out.
    pub fn optional_on_insert(&self) -> bool {
        self.nullable || self.has_default || self.generated || self.rowid_alias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_give_kinds() {
        let check = |declared: &str, expected: ColumnKind| {
            assert_eq!(
                ColumnKind::from_declared(declared),
                expected,
                "{declared:?}"
            );
        };
        check("INTEGER", ColumnKind::Integer);
        check("unsigned big int", ColumnKind::Integer);
        check("CHARINT", ColumnKind::Integer);
        check("NVARCHAR(160)", ColumnKind::Text);
        check("text", ColumnKind::Text);
        check("BLOB", ColumnKind::Blob);
        check("", ColumnKind::Any);
        check("ANY", ColumnKind::Any);
        check("double precision", ColumnKind::Real);
        check("NUMERIC(10,2)", ColumnKind::Numeric);
        check("decimal(10,2)", ColumnKind::Numeric);
        check("BOOLEAN", ColumnKind::Boolean);
        check("date", ColumnKind::Date);
        check("DateTime", ColumnKind::DateTime);
        check("TIMESTAMP WITH TIME ZONE", ColumnKind::DateTime);
        check("JSON", ColumnKind::Json);
    }
}
