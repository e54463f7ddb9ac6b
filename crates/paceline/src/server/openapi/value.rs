//! The JSON forms of a column's values: as they are answered, sent, and asked for.

use paceline_data::SqlDialect;
use paceline_data::catalog::ColumnKind;
use paceline_data::encode::BigIntegers;
use paceline_data::resource::{Field, Resources};
use serde_json::{Value, json};

/// What decides a value's form besides its column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms {
    big_integers: BigIntegers,
    dialect: SqlDialect,
}

impl Forms {
    pub(super) fn of(resources: &Resources) -> Self {
        Self {
            big_integers: resources.big_integers(),
            dialect: resources.catalog().dialect(),
        }
    }

    /// A value in an answer: what the column can hold, which may be more than what its type says.
    pub(super) fn shown(self, field: &Field) -> Value {
        let mut others = Vec::new();
        match field.kind {
            ColumnKind::Integer if self.big_integers == BigIntegers::Strings => {
                others.push("string");
            }
            // A column for truth values holds other numbers too, where the engine has no type for them.
            ColumnKind::Boolean if self.dialect != SqlDialect::Postgres => others.push("integer"),
            _ => {}
        }
        if field.nullable || self.has_no_number(field.kind) {
            others.push("null");
        }
        either(field.kind, &others)
    }

    /// A value in the body of a write.
    pub(super) fn sent(self, field: &Field) -> Value {
        let mut others = Vec::new();
        if field.nullable {
            others.push("null");
        }
        if field.kind == ColumnKind::Integer && self.big_integers == BigIntegers::Strings {
            others.push("string");
            let mut schema = either(field.kind, &others);
            schema["pattern"] = json!("^-?[1-9][0-9]{15,19}$");
            return schema;
        }
        let mut schema = either(field.kind, &others);
        if let Some(labels) = &field.labels {
            let labels = labels.iter().map(|label| json!(label));
            schema["enum"] = labels
                .chain(field.nullable.then_some(Value::Null))
                .collect();
        }
        schema
    }

    /// `NaN` and the infinities are `null`, whatever the column says of `NULL`; MySQL has none.
    fn has_no_number(self, kind: ColumnKind) -> bool {
        match kind {
            ColumnKind::Real => !matches!(self.dialect, SqlDialect::MySql(_)),
            ColumnKind::Numeric => self.dialect == SqlDialect::Sqlite,
            ColumnKind::Decimal => self.dialect == SqlDialect::Postgres,
            _ => false,
        }
    }
}

/// A value that is asked for in a URL.
pub(super) fn asked(kind: ColumnKind) -> Value {
    either(kind, &[])
}

/// The form of a kind, or one of the others.
fn either(kind: ColumnKind, others: &[&str]) -> Value {
    let name = match kind {
        ColumnKind::Integer => "integer",
        ColumnKind::Real | ColumnKind::Numeric | ColumnKind::Decimal => "number",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Text
        | ColumnKind::Blob
        | ColumnKind::Date
        | ColumnKind::DateTime
        | ColumnKind::Time
        | ColumnKind::Uuid
        | ColumnKind::Enum
        | ColumnKind::Other => "string",
        _ => return json!({}),
    };
    let mut schema = if others.is_empty() {
        json!({"type": name})
    } else {
        let names: Vec<&str> = std::iter::once(name)
            .chain(others.iter().copied())
            .collect();
        json!({"type": names})
    };
    if kind == ColumnKind::Blob {
        schema["contentEncoding"] = json!("base64");
    }
    if kind == ColumnKind::Uuid {
        schema["format"] = json!("uuid");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(big_integers: BigIntegers, dialect: SqlDialect) -> Forms {
        Forms {
            big_integers,
            dialect,
        }
    }

    fn field(kind: ColumnKind, nullable: bool) -> Field {
        Field {
            name: "x".to_owned(),
            column: 0,
            kind,
            nullable,
            comparable: true,
            labels: None,
        }
    }

    #[test]
    fn answers_hold_more_than_types_say() {
        use BigIntegers::{Numbers, Strings};
        let check = |forms: Forms, kind, nullable, expected: Value| {
            assert_eq!(forms.shown(&field(kind, nullable))["type"], expected);
        };
        let postgres = forms(Strings, SqlDialect::Postgres);
        let sqlite = forms(Numbers, SqlDialect::Sqlite);
        check(
            postgres,
            ColumnKind::Integer,
            true,
            json!(["integer", "string", "null"]),
        );
        check(sqlite, ColumnKind::Integer, false, json!("integer"));
        check(postgres, ColumnKind::Boolean, false, json!("boolean"));
        check(
            sqlite,
            ColumnKind::Boolean,
            false,
            json!(["boolean", "integer"]),
        );
        check(
            postgres,
            ColumnKind::Decimal,
            false,
            json!(["number", "null"]),
        );
        check(sqlite, ColumnKind::Real, true, json!(["number", "null"]));
        check(sqlite, ColumnKind::Decimal, false, json!("number"));
        check(postgres, ColumnKind::Text, false, json!("string"));
    }

    #[test]
    fn bodies_hold_what_can_be_stored() {
        let strings = forms(BigIntegers::Strings, SqlDialect::Postgres);
        let big = strings.sent(&field(ColumnKind::Integer, false));
        assert_eq!(big["type"], json!(["integer", "string"]));
        assert!(big["pattern"].is_string());
        let real = strings.sent(&field(ColumnKind::Real, false));
        assert_eq!(real["type"], "number", "what is no number is not stored");
        let flag = strings.sent(&field(ColumnKind::Boolean, true));
        assert_eq!(flag["type"], json!(["boolean", "null"]));
        let mut mood = field(ColumnKind::Enum, true);
        mood.labels = Some(["calm".to_owned(), "wild".to_owned()].into());
        assert_eq!(strings.sent(&mood)["enum"], json!(["calm", "wild", null]));
    }
}
