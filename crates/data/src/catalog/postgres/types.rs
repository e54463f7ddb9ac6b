//! What a type is taken to hold, and in which form its values are asked for.

use crate::catalog::{ColumnKind, Native, Shown};
use crate::sql::quote;

/// A type as `pg_type` describes it; for a domain the type beneath.
#[derive(Debug)]
pub(super) struct Described<'row> {
    pub(super) schema: &'row str,
    pub(super) name: &'row str,
    /// `typtype`: `b` base, `c` composite, `e` enum, `r` range, …
    pub(super) class: &'row str,
    /// `typcategory`: `A` array, …
    pub(super) category: &'row str,
    /// Whether it has an order.
    pub(super) comparable: bool,
}

/// The kind of a type's values, and what the engine must know of it.
///
/// Only types the driver knows by itself are asked for as they are: for any other it would look the type up,
/// with a statement of a name of its own, on a connection that may lead through a pooler.
pub(super) fn kind(described: &Described<'_>) -> (ColumnKind, Native) {
    let built_in = described.schema == "pg_catalog";
    let (kind, shown) = match (built_in, described.class, described.name) {
        (_, "e", _) => (ColumnKind::Enum, Shown::AsText),
        (_, "c", _) => (ColumnKind::Composite, Shown::AsJson),
        _ if described.category == "A" && described.class == "b" => {
            (ColumnKind::Composite, Shown::AsJson)
        }
        (true, _, name) => built_in_kind(name),
        (false, _, "citext") => (ColumnKind::Text, Shown::AsText),
        _ => (ColumnKind::Other, Shown::AsText),
    };
    let name = quote(described.name);
    let type_name = if built_in {
        name
    } else {
        format!("{}.{name}", quote(described.schema))
    };
    let native = Native {
        type_name,
        shown,
        comparable: described.comparable && kind != ColumnKind::Composite,
    };
    (kind, native)
}

fn built_in_kind(name: &str) -> (ColumnKind, Shown) {
    let kind = match name {
        "bool" => ColumnKind::Boolean,
        "int2" | "int4" | "int8" | "oid" => ColumnKind::Integer,
        "float4" | "float8" => ColumnKind::Real,
        "numeric" => ColumnKind::Decimal,
        "text" | "varchar" | "bpchar" | "name" => ColumnKind::Text,
        "bytea" => ColumnKind::Blob,
        "date" => ColumnKind::Date,
        "timestamp" | "timestamptz" => ColumnKind::DateTime,
        "time" => ColumnKind::Time,
        "json" | "jsonb" => ColumnKind::Json,
        "uuid" => ColumnKind::Uuid,
        _ => return (ColumnKind::Other, Shown::AsText),
    };
    (kind, Shown::AsIs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_driver_knows_is_asked_for_as_it_is() {
        let check = |schema, name, class, category, expected: (ColumnKind, Shown, &str)| {
            let (kind, native) = kind(&Described {
                schema,
                name,
                class,
                category,
                comparable: true,
            });
            let found = (kind, native.shown, native.type_name.as_str());
            assert_eq!(found, expected, "{schema}.{name}");
        };
        let own = "pg_catalog";
        let (is, text, json) = (Shown::AsIs, Shown::AsText, Shown::AsJson);
        check(own, "int4", "b", "N", (ColumnKind::Integer, is, "\"int4\""));
        check(
            own,
            "numeric",
            "b",
            "N",
            (ColumnKind::Decimal, is, "\"numeric\""),
        );
        check(
            own,
            "_int4",
            "b",
            "A",
            (ColumnKind::Composite, json, "\"_int4\""),
        );
        check(
            own,
            "int4range",
            "r",
            "R",
            (ColumnKind::Other, text, "\"int4range\""),
        );
        check(own, "inet", "b", "I", (ColumnKind::Other, text, "\"inet\""));
        check(
            "public",
            "mood",
            "e",
            "E",
            (ColumnKind::Enum, text, "\"public\".\"mood\""),
        );
        check(
            "public",
            "_mood",
            "b",
            "A",
            (ColumnKind::Composite, json, "\"public\".\"_mood\""),
        );
        check(
            "a\"b",
            "pair",
            "c",
            "C",
            (ColumnKind::Composite, json, "\"a\"\"b\".\"pair\""),
        );
        check(
            "public",
            "citext",
            "b",
            "S",
            (ColumnKind::Text, text, "\"public\".\"citext\""),
        );
        check(
            "public",
            "int4",
            "b",
            "U",
            (ColumnKind::Other, text, "\"public\".\"int4\""),
        );
    }
}
