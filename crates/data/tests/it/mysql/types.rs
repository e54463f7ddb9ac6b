//! Each type's form in JSON, and what filters make of it, however statements are sent.

use super::{Served, WAYS};

/// A type, a value as SQL has it, and its form.
const TYPES: [(&str, &str, &str); 47] = [
    ("tinyint(1)", "1", "true"),
    ("tinyint(1)", "2", "2"),
    ("tinyint", "-128", "-128"),
    ("smallint unsigned", "65535", "65535"),
    ("mediumint", "-8388608", "-8388608"),
    ("int unsigned", "4294967295", "4294967295"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("bigint unsigned", "7", "7"),
    (
        "bigint unsigned",
        "18446744073709551615",
        "18446744073709551615",
    ),
    ("year", "2026", "2026"),
    ("float", "0.1", "0.1"),
    ("float", "16777217", "16777216.0"),
    ("double", "0.1", "0.1"),
    ("double", "1e21", "1e+21"),
    ("decimal(10,2)", "-0.5", "-0.50"),
    (
        "decimal(40,2)",
        "12345678901234567890123456789012345678.10",
        "12345678901234567890123456789012345678.10",
    ),
    ("bit(1)", "b'1'", "true"),
    ("bit(12)", "b'100000000001'", "2049"),
    ("bit(64)", "x'ffffffffffffffff'", "18446744073709551615"),
    ("char(5)", "'abc'", "\"abc\""),
    (
        "varchar(50)",
        "'Grüße \"quoted\" 😀'",
        r#""Grüße \"quoted\" 😀""#,
    ),
    ("varchar(50) CHARACTER SET latin1", "'Grüße'", "\"Grüße\""),
    ("text", "'it''s'", "\"it's\""),
    ("longtext", "''", "\"\""),
    ("binary(3)", "x'00ff10'", "\"AP8Q\""),
    ("varbinary(10)", "'abc'", "\"YWJj\""),
    ("blob", "x'00ff10'", "\"AP8Q\""),
    ("date", "'2026-02-28'", "\"2026-02-28\""),
    ("date", "'0000-00-00'", "\"0000-00-00\""),
    ("date", "'9999-12-31'", "\"9999-12-31\""),
    (
        "datetime",
        "'2026-02-28 12:30:00'",
        "\"2026-02-28T12:30:00\"",
    ),
    (
        "datetime(6)",
        "'2026-02-28 12:30:00.5'",
        "\"2026-02-28T12:30:00.5\"",
    ),
    (
        "datetime",
        "'0000-00-00 00:00:00'",
        "\"0000-00-00T00:00:00\"",
    ),
    (
        "timestamp(3) NULL",
        "'2026-02-28 10:30:00.25'",
        "\"2026-02-28T10:30:00.25Z\"",
    ),
    ("time", "'12:30'", "\"12:30:00\""),
    ("time(1)", "'-838:59:58.5'", "\"-838:59:58.5\""),
    ("time", "'100:00:00'", "\"100:00:00\""),
    ("time", "'-00:00:01'", "\"-00:00:01\""),
    (
        "json",
        "'{\"b\": 1,  \"a\": [1.0]}'",
        "{\"b\": 1,  \"a\": [1.0]}",
    ),
    ("enum('sad','o\\'k','')", "'o''k'", "\"o'k\""),
    ("set('a','b','c')", "'a,c'", "\"a,c\""),
    (
        "uuid",
        "'123E4567-E89B-12D3-A456-426614174000'",
        "\"123e4567-e89b-12d3-a456-426614174000\"",
    ),
    ("inet6", "'::1'", "\"::1\""),
    ("inet4", "'10.0.0.1'", "\"10.0.0.1\""),
    (
        "point",
        "point(1, 2.5)",
        "{\"type\": \"Point\", \"coordinates\": [1, 2.5]}",
    ),
    ("int AS (7 * 6) VIRTUAL", "DEFAULT", "42"),
    ("int DEFAULT (7 * 6)", "DEFAULT", "42"),
];

#[tokio::test]
async fn each_type_has_its_form_in_json() {
    let columns: Vec<_> = TYPES
        .iter()
        .enumerate()
        .map(|(at, (kind, _, _))| format!("c{at} {kind}"))
        .collect();
    let values: Vec<_> = TYPES.iter().map(|(_, value, _)| *value).collect();
    let schema = format!(
        "CREATE TABLE t(id int PRIMARY KEY, {}); SET SESSION sql_mode = '';
         INSERT INTO t VALUES (1, {}); INSERT INTO t(id) VALUES (2);",
        columns.join(", "),
        values.join(", ")
    );
    let served = Served::open(&schema).await;
    for way in WAYS {
        let served = served.in_way(way).await;
        let row = served.rows("t", "id=1").await;
        for (at, (kind, value, expected)) in TYPES.iter().enumerate() {
            let member = format!("\"c{at}\":{expected}");
            let ends = [format!("{member},"), format!("{member}}}")];
            let found = ends.iter().any(|member| row.contains(member));
            assert!(found, "{kind} {value} {way:?}: {row}");
        }
        let nulls = served.rows("t", "id=2").await;
        assert_eq!(nulls.matches("null").count(), TYPES.len() - 2, "{nulls}");
    }
}

#[tokio::test]
async fn filters_compare_in_the_columns_type() {
    let served = Served::open(
        "CREATE TABLE t(id int PRIMARY KEY, n decimal(30,10), f float, u uuid, at timestamp NULL, wall datetime(6),
            day date, m enum('sad', 'ok', 'happy'), j json, ip inet6, s set('a','b'), name varchar(20),
            latin varchar(20) CHARACTER SET latin1, code char(4), big bigint unsigned, ok bool, clock time, b bit(3),
            raw varbinary(9), exact varchar(20) COLLATE utf8mb4_bin);
         INSERT INTO t VALUES (1, 12345678901234567890.5, 0.1, '123e4567-e89b-12d3-a456-426614174000',
            '2026-01-31T12:00:00', '2026-01-31 12:00:00.5', '2026-01-31', 'ok', '{\"a\":1}', '::1', 'a', '50%_x', 'é', 'ab',
            18446744073709551615, true, '12:30', b'101', 'x', 'Ada'),
            (2, 2, 2, NULL, '2026-02-01', '2026-02-01', '2026-02-01', 'sad', '[]', '::2', 'b', 'Ada', 'x', 'cd', 7, false,
            '13:00', b'001', 'y', 'ada');",
    )
    .await;
    for way in WAYS {
        let served = served.in_way(way).await;
        let check = async |query: &str, expected: &str| {
            let rows = served.rows("t", &format!("{query}&fields=id")).await;
            assert_eq!(rows, expected, "{query} {way:?}");
        };
        let (first, second, none) = ("[{\"id\":1}]", "[{\"id\":2}]", "[]");
        check("n=12345678901234567890.5", first).await;
        check("n[gt]=12345678901234567890.4", first).await;
        check("n=12345678901234567890.50000000001", none).await;
        check("f=0.1", first).await;
        check("id=99999999999", none).await;
        check("id[in]=1,99999999999", first).await;
        check("u=123E4567-E89B-12D3-A456-426614174000", first).await;
        check("u[null]=true", second).await;
        check("at=2026-01-31T13:00:00%2B01:00", first).await;
        check("at[lt]=2026-02-01", first).await;
        check("at[like]=2026-01-31T12%25", first).await;
        check("wall=2026-01-31T12:00:00.5", first).await;
        check("day[like]=2026-02%25", second).await;
        check("day=2026-01-31T23:00:00Z", first).await;
        check("m=ok", first).await;
        check("m[lt]=ok", second).await;
        check("m[in]=sad,happy", second).await;
        check("m[like]=O%25", first).await;
        check("ip[gt]=::1", second).await;
        check("name[like]=50\\%25\\_%25", first).await;
        check("name[like]=ADA", second).await;
        check("name=ADA", second).await;
        check("exact=ada", second).await;
        check("exact[like]=ADA", "[{\"id\":1},{\"id\":2}]").await;
        check("name=%27%3B--", none).await;
        check("name=%5C", none).await;
        check("latin=%C3%A9", first).await;
        check("latin[like]=%C3%89", first).await;
        check("latin[like]=%E6%97%A5", none).await;
        check("code=ab", first).await;
        check("big=7", second).await;
        check("big[gt]=-1", "[{\"id\":1},{\"id\":2}]").await;
        check("big[gt]=9223372036854775807", first).await;
        check("ok=true", first).await;
        check("clock=12:30", first).await;
        check("clock[gt]=12:30:00.5", second).await;
        check("b=5", first).await;
        check("sort=-m", "[{\"id\":1},{\"id\":2}]").await;
        check("sort=-big", "[{\"id\":1},{\"id\":2}]").await;

        let refused = |query: &str| served.plan("t", query).unwrap_err().detail;
        assert!(refused("m=angry").contains("one of sad, ok, happy"));
        assert!(refused("u=1").contains("a UUID"));
        assert!(refused("j=%7B%7D").contains("cannot be compared"));
        assert!(refused("s=a").contains("cannot be compared"));
        assert!(refused("sort=j").contains("have no order"));
        assert!(refused("n=NaN").contains("a number"));
    }
}

#[tokio::test]
async fn what_only_the_server_can_refuse_is_a_matter_of_the_value() {
    let served = Served::open(
        "CREATE TABLE t(id int PRIMARY KEY, day date, at timestamp NULL, latin varchar(9) CHARACTER SET latin1)",
    )
    .await;
    for way in WAYS {
        let served = served.in_way(way).await;
        for query in [
            "day=2026-02-30",
            "at=2026-01-31T10:00:00%2B99:00",
            "day=1767225600",
            "latin=%E6%97%A5",
        ] {
            let plan = served.plan("t", query).unwrap();
            let error = served
                .database
                .run(plan.statement.clone(), plan.encoder())
                .await
                .unwrap_err();
            assert!(error.is_value(), "{query}: {error:?}");
        }
        let pool = served.database.pool();
        assert!(pool.is_none_or(|pool| pool.counts.discarded == 0));
    }
}
