//! Each type's form in JSON, and what filters make of it.

use super::Served;

/// A column of each type, filled with one value.
fn check_table() -> [(&'static str, &'static str, &'static str); 33] {
    [
        ("bool", "true", "true"),
        ("int2", "-7", "-7"),
        ("int4", "7", "7"),
        ("int8", "9223372036854775807", "9223372036854775807"),
        ("oid", "4294967295", "4294967295"),
        ("float4", "0.1", "0.1"),
        ("float8", "0.1", "0.1"),
        ("float8", "'NaN'", "null"),
        ("float8", "'-Infinity'", "null"),
        (
            "numeric",
            "123456789012345678901234567890.10",
            "123456789012345678901234567890.10",
        ),
        ("numeric(10,2)", "-0.5", "-0.50"),
        ("numeric", "'NaN'", "null"),
        ("text", "'Grüße \"quoted\"'", r#""Grüße \"quoted\"""#),
        ("varchar(5)", "'abc'", "\"abc\""),
        ("char(5)", "'abc'", "\"abc  \""),
        ("bytea", "'\\x00ff10'", "\"AP8Q\""),
        ("date", "'2026-02-28'", "\"2026-02-28\""),
        ("date", "'infinity'", "\"infinity\""),
        (
            "timestamp",
            "'2026-02-28 12:30:00.5'",
            "\"2026-02-28T12:30:00.5\"",
        ),
        (
            "timestamptz",
            "'2026-02-28 12:30:00+02'",
            "\"2026-02-28T10:30:00Z\"",
        ),
        ("time", "'12:30'", "\"12:30:00\""),
        ("timetz", "'12:30+02'", "\"12:30:00+02\""),
        ("interval", "'1 day 2 hours'", "\"1 day 02:00:00\""),
        (
            "json",
            "'{\"b\": 1,  \"a\": [1.0]}'",
            "{\"b\": 1,  \"a\": [1.0]}",
        ),
        (
            "jsonb",
            "'{\"b\": 1,  \"a\": [1.0]}'",
            "{\"a\": [1.0], \"b\": 1}",
        ),
        (
            "uuid",
            "'123E4567-E89B-12D3-A456-426614174000'",
            "\"123e4567-e89b-12d3-a456-426614174000\"",
        ),
        ("int4[]", "'{1,NULL,3}'", "[1,null,3]"),
        ("text[]", "'{\"a,b\",c}'", "[\"a,b\",\"c\"]"),
        ("inet", "'10.0.0.1/8'", "\"10.0.0.1/8\""),
        ("int4range", "'[1,5)'", "\"[1,5)\""),
        ("bit(3)", "B'101'", "\"101\""),
        ("mood", "'ok'", "\"ok\""),
        ("pair", "'(1,x)'", "{\"a\":1,\"b\":\"x\"}"),
    ]
}

const TYPES: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN more AS positive;";

#[tokio::test]
async fn each_type_has_its_form_in_json() {
    let types = check_table();
    let columns: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(at, (kind, _, _))| format!("c{at} {kind}"))
        .collect();
    let values: Vec<_> = types.iter().map(|(_, value, _)| *value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let schema = format!(
        "{TYPES} CREATE TABLE t(id int PRIMARY KEY, {columns}, d more);
         INSERT INTO t VALUES (1, {values}, 5); INSERT INTO t VALUES (2);"
    );
    let served = Served::open(&schema).await;
    let row = served.rows("t", "id=1").await;
    for (at, (kind, value, expected)) in types.iter().enumerate() {
        let member = format!("\"c{at}\":{expected}");
        assert!(row.contains(&member), "{kind} {value}: {row}");
    }
    assert!(row.ends_with("\"d\":5}]"), "{row}");
    let nulls = served.rows("t", "id=2").await;
    assert_eq!(nulls.matches("null").count(), types.len() + 1, "{nulls}");
}

#[tokio::test]
async fn filters_compare_in_the_columns_type() {
    let served = Served::open(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
         CREATE TABLE t(id int PRIMARY KEY, n numeric, f float4, u uuid, at timestamptz, day date, m mood, j jsonb,
            raw json, ip inet, tags text[], name text, code char(4), d positive, ok bool);
         INSERT INTO t VALUES (1, 12345678901234567890.5, 0.1, '123e4567-e89b-12d3-a456-426614174000',
            '2026-01-31T12:00:00Z', '2026-01-31', 'ok', '{\"a\":1}', '{}', '10.0.0.1', '{a}', '50%_x', 'ab', 3, true),
            (2, 2, 2, NULL, '2026-02-01T00:00:00Z', '2026-02-01', 'sad', '[]', '{}', '10.0.0.2', '{b}', 'Ada', 'cd', 4, false);",
    )
    .await;
    let check = async |query: &str, expected: &str| {
        let rows = served.rows("t", &format!("{query}&fields=id")).await;
        assert_eq!(rows, expected, "{query}");
    };
    let (first, second, none) = ("[{\"id\":1}]", "[{\"id\":2}]", "[]");
    check("n=12345678901234567890.5", first).await;
    check("n[gt]=12345678901234567890.4", first).await;
    check("f=0.1", first).await;
    check("id=99999999999", none).await;
    check("id[in]=1,99999999999", first).await;
    check("u=123E4567-E89B-12D3-A456-426614174000", first).await;
    check("u[null]=true", second).await;
    check("at=2026-01-31T13:00:00%2B01:00", first).await;
    check("at[lt]=2026-02-01", first).await;
    check("at[like]=2026-01-31T12%25", first).await;
    check("day[like]=2026-02%25", second).await;
    check("m=ok", first).await;
    check("m[lt]=ok", second).await;
    check("m[like]=O%25", first).await;
    check("ip[gt]=10.0.0.1", second).await;
    check("name[like]=50\\%25\\_%25", first).await;
    check("name[like]=ADA", second).await;
    check("name=%27%3B--", none).await;
    check("code=ab", first).await;
    check("d=-1", none).await;
    check("ok=true", first).await;
    check("j=%7B%22a%22:1%7D", first).await;
    check("sort=-m", "[{\"id\":1},{\"id\":2}]").await;

    let refused = |query: &str| served.plan("t", query).unwrap_err().detail;
    assert!(refused("m=angry").contains("one of sad, ok, happy"));
    assert!(refused("u=1").contains("a UUID"));
    assert!(refused("raw=%7B%7D").contains("cannot be compared"));
    assert!(refused("tags=a").contains("[null]"));
    assert!(refused("sort=raw").contains("have no order"));
    assert!(refused("sort=tags").contains("have no order"));
    assert!(refused("n=NaN").contains("a number"));
}

#[tokio::test]
async fn what_only_the_server_can_refuse_is_a_matter_of_the_value() {
    let served =
        Served::open("CREATE TABLE t(id int PRIMARY KEY, day date, name text, ip inet)").await;
    for query in [
        "day=2026-02-30",
        "name=a%00b",
        "ip=nowhere",
        "day=1767225600",
    ] {
        let plan = served.plan("t", query).unwrap();
        let error = served
            .database
            .run(plan.statement.clone(), plan.encoder())
            .await
            .unwrap_err();
        assert!(error.is_value(), "{query}: {error:?}");
    }
    assert_eq!(served.database.pool().unwrap().counts.discarded, 0);
}
