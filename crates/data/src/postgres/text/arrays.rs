//! What the arrays among the columns are arrays of.

use std::collections::HashMap;

use tokio_postgres::types::{Kind, Type};

use super::connection::TextConnection;
use super::result::{ArrayOf, TextResult};

/// The first id that a server gives itself: types below are the same everywhere.
const FIRST_OWN: u32 = 16_384;

/// Notes it in every field. Types that only this server knows are asked for, in one statement; where that fails they
/// stay as they are, and their values text.
pub(super) async fn note(connection: &mut TextConnection, results: &mut [TextResult]) {
    let mut fields: Vec<_> = results
        .iter_mut()
        .flat_map(|result| &mut result.fields)
        .collect();
    let mut unknown: Vec<String> = Vec::new();
    for field in &mut fields {
        field.array_of = built_in(field.type_oid);
        let id = field.type_oid.to_string();
        if field.type_oid >= FIRST_OWN && !unknown.contains(&id) {
            unknown.push(id);
        }
    }
    if unknown.is_empty() {
        return;
    }
    let sql = format!(
        "SELECT t.oid, t.typelem, e.typdelim FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_type e ON e.oid = t.typelem \
         WHERE t.typcategory = 'A' AND t.oid IN ({})",
        unknown.join(", ")
    );
    let Ok(answered) = connection.command(&sql).await else {
        return;
    };
    let found = answered.results.first().map(read).unwrap_or_default();
    for field in fields {
        field.array_of = field.array_of.or(found.get(&field.type_oid).copied());
    }
}

fn read(result: &TextResult) -> HashMap<u32, ArrayOf> {
    let text = |value: Option<&[u8]>| Some(std::str::from_utf8(value?).ok()?.to_owned());
    let row = |row: super::TextRow<'_>| {
        let mut values = row.values();
        let id = text(values.next()?)?.parse().ok()?;
        let type_oid = text(values.next()?)?.parse().ok()?;
        let delimiter = text(values.next()?)?.chars().next()?;
        Some((
            id,
            ArrayOf {
                type_oid,
                delimiter,
            },
        ))
    };
    result.rows().filter_map(row).collect()
}

/// For the types that every server has. `int2vector` and `oidvector` are arrays, but not written as such.
fn built_in(oid: u32) -> Option<ArrayOf> {
    let known = Type::from_oid(oid)?;
    let Kind::Array(element) = known.kind() else {
        return None;
    };
    if matches!(known, Type::INT2_VECTOR | Type::OID_VECTOR) {
        return None;
    }
    Some(ArrayOf {
        type_oid: element.oid(),
        delimiter: if *element == Type::BOX { ';' } else { ',' },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_told_by_their_id() {
        let check = |kind: Type, expected: Option<(Type, char)>| {
            let found = built_in(kind.oid()).map(|found| (found.type_oid, found.delimiter));
            let expected = expected.map(|(kind, delimiter)| (kind.oid(), delimiter));
            assert_eq!(found, expected, "{kind}");
        };
        check(Type::INT4_ARRAY, Some((Type::INT4, ',')));
        check(Type::BOX_ARRAY, Some((Type::BOX, ';')));
        check(Type::TEXT, None);
        check(Type::INT2_VECTOR, None);
        assert_eq!(built_in(999_999), None);
    }
}
