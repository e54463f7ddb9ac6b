//! `paceline_row_version(...)`: the version of a row, computed from its values inside the statement.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::catalog::Table;
use crate::plan::quote;

const NAME: &str = "paceline_row_version";
/// SQLite lets a call have at least this many arguments; more columns are hashed in groups.
const MOST_ARGUMENTS: usize = 100;

/// The SQL expression for the version of a row of `table`, which the statement calls `alias`.
///
/// The version is 22 characters of base64url: 128 bits of keyed BLAKE3 over the values of all columns,
/// hidden ones too, with their types and lengths, so that `('a','bc')` and `('ab','c')`, or `1` and
/// `'1'`, differ. It depends on nothing else: equal rows have equal versions.
pub fn row_version_sql(table: &Table, alias: &str) -> String {
    let alias = quote(alias);
    let columns = table
        .columns
        .iter()
        .map(|column| format!("{alias}.{}", quote(&column.name)));
    call(columns.collect())
}

fn call(mut arguments: Vec<String>) -> String {
    let one = |arguments: &[String]| format!("{NAME}({})", arguments.join(", "));
    while arguments.len() > MOST_ARGUMENTS {
        arguments = arguments.chunks(MOST_ARGUMENTS).map(one).collect();
    }
    one(&arguments)
}

/// Makes the function known to a connection.
pub(super) fn register(connection: &Connection, key: [u8; 32]) -> rusqlite::Result<()> {
    // Direct only: a view or trigger of an untrusted file cannot use it to test guesses.
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(NAME, -1, flags, move |context| {
        let mut hasher = blake3::Hasher::new_keyed(&key);
        for index in 0..context.len() {
            update(&mut hasher, context.get_raw(index));
        }
        Ok(text(&hasher.finalize()))
    })
}

/// One value, framed: its type, its length where that varies, its bytes.
fn update(hasher: &mut blake3::Hasher, value: ValueRef<'_>) {
    let sized = |hasher: &mut blake3::Hasher, tag: u8, bytes: &[u8]| {
        hasher.update(&[tag]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    let fixed = |hasher: &mut blake3::Hasher, tag: u8, bytes: [u8; 8]| {
        hasher.update(&[tag]);
        hasher.update(&bytes);
    };
    match value {
        ValueRef::Null => {
            hasher.update(&[0]);
        }
        ValueRef::Integer(value) => fixed(hasher, 1, value.to_le_bytes()),
        ValueRef::Real(value) => fixed(hasher, 2, value.to_bits().to_le_bytes()),
        ValueRef::Text(bytes) => sized(hasher, 3, bytes),
        ValueRef::Blob(bytes) => sized(hasher, 4, bytes),
    }
}

fn text(hash: &blake3::Hash) -> String {
    URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection, arguments: &str) -> String {
        let sql = format!("SELECT paceline_row_version({arguments})");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn connection(key: u8) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection, [key; 32]).unwrap();
        connection
    }

    #[test]
    fn values_are_framed_and_typed() {
        let connection = connection(1);
        let check = |left: &str, right: &str| {
            assert_ne!(
                version(&connection, left),
                version(&connection, right),
                "{left} | {right}"
            );
        };
        check("'a', 'bc'", "'ab', 'c'");
        check("1", "'1'");
        check("1", "1.0");
        check("'x'", "x'78'");
        check("NULL", "''");
        check("NULL", "NULL, NULL");
        check("''", "x''");
        check("0.0", "-0.0");
        assert_eq!(
            version(&connection, "1, 'a', NULL"),
            version(&connection, "1, 'a', NULL")
        );
        assert_eq!(version(&connection, "1").len(), 22);
    }

    #[test]
    fn versions_depend_on_the_key() {
        assert_ne!(version(&connection(1), "1"), version(&connection(2), "1"));
        assert_eq!(version(&connection(1), "1"), version(&connection(1), "1"));
    }

    #[test]
    fn views_of_an_untrusted_file_cannot_call_it() {
        let connection = connection(1);
        connection
            .execute_batch("CREATE VIEW v AS SELECT paceline_row_version(1) AS x")
            .unwrap();
        assert!(
            connection
                .query_row("SELECT x FROM v", [], |row| row.get::<_, String>(0))
                .is_err()
        );
    }

    #[test]
    fn very_wide_rows_are_hashed_in_groups() {
        let connection = connection(1);
        let columns: Vec<String> = (0..1500).map(|value| value.to_string()).collect();
        let read = |columns: &[String]| -> String {
            let sql = format!("SELECT {}", call(columns.to_vec()));
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let mut changed = columns.clone();
        changed[1499] = "7".to_owned();
        assert_ne!(read(&columns), read(&changed));
        assert_eq!(
            call(vec!["a".to_owned(), "b".to_owned()]),
            "paceline_row_version(a, b)"
        );
    }
}
