//! A value in a list has the form it has in a row.

use paceline_data::encode::BigIntegers;
use proptest::prelude::*;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Stored;

use super::{Each, Served};

/// `[row, …]` as each row's own text.
fn unwrapped(rows: &str) -> &str {
    rows.strip_prefix('[').unwrap().strip_suffix(']').unwrap()
}

/// Checks that the rows of `child` are the same bytes in the list of their one parent.
async fn check_same(served: &Served) {
    let own = served.rows("child", "limit=100&parent_id=1").await;
    let nested = served.rows("parent", "fields=child").await;
    let expected = format!("{{\"child\":[{}]}}", unwrapped(&own));
    assert_eq!(unwrapped(&nested), expected);
    // And beneath another level.
    let deeper = served.rows("root", "fields=parent.child").await;
    assert_eq!(
        deeper,
        format!("[{{\"parent\":[{expected}]}}]"),
        "within two lists"
    );
}

const TYPES: [&str; 9] = [
    "", "INTEGER", "REAL", "TEXT", "BLOB", "BOOLEAN", "DATETIME", "JSON", "NUMERIC",
];

fn schema(columns: &str) -> String {
    format!(
        "CREATE TABLE root(id INTEGER PRIMARY KEY);
         CREATE TABLE parent(id INTEGER PRIMARY KEY, root_id INTEGER REFERENCES root(id));
         CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id), {columns});
         CREATE INDEX child_parent ON child(parent_id);
         INSERT INTO root VALUES (1); INSERT INTO parent VALUES (1, 1);"
    )
}

/// What SQLite may hold in a column of any type.
fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        Just(Stored::Null),
        any::<i64>().prop_map(Stored::Integer),
        prop::sample::select(vec![0, 1, 1 << 53, (1 << 53) - 1, i64::MIN, i64::MAX])
            .prop_map(Stored::Integer),
        any::<f64>().prop_map(Stored::Real),
        prop::sample::select(vec![
            0.1,
            -0.0,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1.0
        ])
        .prop_map(Stored::Real),
        ".{0,20}".prop_map(Stored::Text),
        prop::sample::select(vec![
            "{\"a\": [1]}",
            "[1.50,\n2]",
            "null",
            "{\"",
            "",
            "\\\"\u{0}"
        ])
        .prop_map(|text| Stored::Text(text.to_owned())),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Stored::Blob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn sqlite_gathers_every_value_as_it_is(
        rows in prop::collection::vec(prop::collection::vec(stored(), TYPES.len()), 0..6),
        raw in prop::collection::vec(any::<u8>(), 0..12),
        strings in any::<bool>(),
    ) {
        let columns = TYPES.iter().enumerate().map(|(at, kind)| format!("c{at} {kind}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let file = crate::files::File::new(&schema(&columns));
        let connection = file.connect();
        let places = vec!["?"; TYPES.len()].join(", ");
        for row in &rows {
            let sql = format!("INSERT INTO child VALUES (NULL, 1, {places})");
            connection.execute(&sql, params_from_iter(row)).unwrap();
        }
        // Text that is not UTF-8.
        let sql = "INSERT INTO child(parent_id, c3, c7) VALUES (1, CAST(?1 AS TEXT), CAST(?1 AS TEXT))";
        connection.execute(sql, [&raw]).unwrap();
        let options = paceline_data::sqlite::SqliteOptions::new(file.path());
        let mut served = Served::new(paceline_data::Database::open(&options).unwrap(), Vec::new());
        if strings {
            served.resources = served.resources.with_big_integers(BigIntegers::Strings);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check_same(&served));
    }
}

/// A column of each type of PostgreSQL, and values of it.
const POSTGRES: [(&str, &[&str]); 27] = [
    ("bool", &["true", "false"]),
    ("int2", &["-7", "32767"]),
    ("int4", &["7", "-2147483648"]),
    ("int8", &["9223372036854775807", "9007199254740993"]),
    ("oid", &["4294967295"]),
    ("float4", &["0.1", "'NaN'", "1e30"]),
    ("float8", &["0.1", "'-Infinity'", "1e300", "5e-324"]),
    (
        "numeric",
        &["123456789012345678901234567890.10", "'NaN'", "-0.000"],
    ),
    ("numeric(10,2)", &["-0.5"]),
    ("text", &["'Grüße \"quoted\"'", "''", "E'line\\nbreak'"]),
    ("varchar(5)", &["'abc'"]),
    ("char(5)", &["'abc'"]),
    ("bytea", &["'\\x00ff10'", "''"]),
    ("date", &["'2026-02-28'", "'infinity'", "'0044-03-15 BC'"]),
    ("timestamp", &["'2026-02-28 12:30:00.5'"]),
    ("timestamptz", &["'2026-02-28 12:30:00+02'", "'-infinity'"]),
    ("time", &["'12:30'"]),
    ("timetz", &["'12:30+02'"]),
    ("interval", &["'1 day 2 hours'"]),
    ("json", &["'{\"b\": 1,  \"a\": [1.0]}'"]),
    ("jsonb", &["'{\"b\": 1,  \"a\": [1.0]}'"]),
    ("uuid", &["'123E4567-E89B-12D3-A456-426614174000'"]),
    ("int4[]", &["'{1,NULL,3}'"]),
    ("inet", &["'10.0.0.1/8'"]),
    ("mood", &["'ok'"]),
    ("pair", &["'(1,x)'"]),
    ("more", &["5"]),
];

/// A column of each type of `MariaDB`, and values of it.
const MARIADB: [(&str, &[&str]); 34] = [
    ("bool", &["true", "false"]),
    ("tinyint", &["-128"]),
    ("smallint unsigned", &["65535"]),
    ("mediumint", &["-8388608"]),
    ("int", &["7", "-2147483648"]),
    ("bigint", &["9223372036854775807", "9007199254740993"]),
    ("bigint unsigned", &["18446744073709551615"]),
    ("float", &["0.1", "1e30", "-0.0"]),
    ("double", &["0.1", "1e300", "5e-324"]),
    ("decimal(10,2)", &["-0.5", "1234.50"]),
    ("decimal(65,30)", &["0.123456789012345678901234567890"]),
    ("bit(1)", &["b'1'", "b'0'"]),
    ("bit(12)", &["b'101'"]),
    (
        "varchar(40)",
        &["'Grüße \"quoted\"'", "''", "'line\\nbreak'"],
    ),
    ("varchar(20) character set latin1", &["'é'", "'[1]'"]),
    ("char(5)", &["'abc'"]),
    ("text", &["'{\"b\": 1}'", "'[[\"i7\"]]'"]),
    ("longtext", &["'i7'"]),
    ("binary(3)", &["x'00ff10'"]),
    ("varbinary(20)", &["x''", "x'5b5d'"]),
    ("blob", &["x'00ff10'"]),
    ("date", &["'2026-02-28'", "'0001-01-01'"]),
    ("datetime", &["'2026-02-28 12:30:00'"]),
    ("datetime(6)", &["'2026-02-28 12:30:00.500001'"]),
    ("timestamp(3) null", &["'2026-02-28 12:30:00.120'"]),
    ("time", &["'12:30'", "'-838:59:59'"]),
    ("time(6)", &["'00:00:00.000001'"]),
    ("year", &["2026", "1901"]),
    ("json", &["'{\"b\": 1,  \"a\": [1.0]}'", "'null'"]),
    ("enum('sad', 'o''k')", &["'o\\'k'", "'sad'"]),
    ("set('a', 'b')", &["'a,b'", "''"]),
    ("uuid", &["'123E4567-E89B-12D3-A456-426614174000'"]),
    ("inet6", &["'::1'"]),
    ("point", &["point(1, 2.5)"]),
];

#[tokio::test]
async fn postgresql_gathers_every_type_as_it_is() {
    let mut sql = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN more AS positive;"
        .to_owned();
    sql += &filled(&POSTGRES);
    let each = Each::open(("CREATE TABLE t(x)", &sql, "SELECT 1"), Vec::new()).await;
    check_types(each.postgres, "9007199254740993").await;
}

#[tokio::test]
async fn mariadb_gathers_every_type_as_it_is() {
    let sql = filled(&MARIADB);
    let each = Each::open(("CREATE TABLE t(x)", "SELECT 1", &sql), Vec::new()).await;
    check_types(each.mariadb, "9007199254740993").await;
}

/// A child for each value of each type.
fn filled(types: &[(&str, &[&str])]) -> String {
    let columns = types.iter().enumerate();
    let columns = columns.map(|(at, (kind, _))| format!("c{at} {kind}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let mut sql = schema(&columns);
    for id in 0..4 {
        let values = types
            .iter()
            .map(|(_, values)| *values.get(id).unwrap_or(&"NULL"));
        let values = values.collect::<Vec<_>>().join(", ");
        let row = format!("INSERT INTO child VALUES ({id}, 1, {values});");
        sql += &row;
    }
    sql
}

/// Checks the children, and that `big`, one of their numbers, is a text where big ones are.
async fn check_types(mut served: Served, big: &str) {
    check_same(&served).await;
    served.resources = served.resources.with_big_integers(BigIntegers::Strings);
    check_same(&served).await;
    let shown = served.rows("parent", "fields=child").await;
    assert!(shown.contains(&format!("\"{big}\"")), "{shown}");
}
