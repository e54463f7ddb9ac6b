//! One column of a table, and the kind of value it is taken to hold.

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
            Self::Real | Self::Numeric => "a number",
            Self::Text => "text",
            Self::Blob => "bytes",
            Self::Boolean => "true or false",
            Self::Date => "a date such as 2026-01-31",
            Self::DateTime => "a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z",
            Self::Json => "JSON text",
            Self::Any => "a value",
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
}

impl Column {
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
