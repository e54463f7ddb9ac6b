//! Walking a list by its cursors: every row once, in the server's own order.

use super::Served;

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE t(id int PRIMARY KEY, x int, y text, m mood, n numeric NOT NULL, f float8, at timestamptz, u uuid, b bytea, ip inet);
    CREATE INDEX t_x ON t(x, id); CREATE INDEX t_y ON t(y DESC NULLS LAST, id);
    INSERT INTO t SELECT i, nullif(i % 4, 3), CASE WHEN i % 5 > 0 THEN chr(96 + i % 5) END,
        (ARRAY['happy', 'sad', 'ok', NULL]::mood[])[i % 4 + 1], i % 3 + 0.5, CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 0.1 END,
        CASE WHEN i % 3 > 0 THEN timestamptz '2026-01-01 00:00:00.123456+00' + i % 3 * interval '1 microsecond' END,
        CASE WHEN i % 2 > 0 THEN md5((i % 6)::text)::uuid END, decode(md5((i % 4)::text), 'hex'), ('10.0.0.' || i % 4)::inet
        FROM generate_series(1, 40) AS i;
    CREATE TABLE pair(a text NOT NULL, b int NOT NULL, c int, PRIMARY KEY (a, b));
    INSERT INTO pair SELECT chr(97 + i % 3), i, nullif(i % 4, 0) FROM generate_series(1, 30) AS i;
    CREATE TABLE keyless(a int NOT NULL UNIQUE, b int); INSERT INTO keyless SELECT i, i % 3 FROM generate_series(1, 20) AS i;";

/// The ids of all pages, read by cursor.
pub(super) async fn walk(served: &Served, path: &str, key: &str, sort: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let sort = if sort.is_empty() {
        String::new()
    } else {
        format!("&sort={sort}")
    };
    let mut query = format!("limit=7&fields={key}{sort}");
    loop {
        let (page, next) = served.page(path, &query).await;
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        for row in page["data"].as_array().unwrap() {
            let parts: Vec<_> = key.split(',').map(|part| row[part].to_string()).collect();
            ids.push(parts.join(","));
        }
        let Some(next) = next else { return ids };
        query = format!("limit=7&fields={key}{sort}&cursor={next}");
    }
}

#[tokio::test]
async fn every_row_comes_once_and_in_order() {
    let served = Served::open(SCHEMA).await;
    for (sort, order) in [
        ("id", "id"),
        ("-id", "id DESC"),
        ("x", "x, id"),
        ("-x", "x DESC, id DESC"),
        ("x,-y", "x, y DESC, id DESC"),
        ("-x,y", "x DESC, y, id"),
        ("y", "y, id"),
        ("-y", "y DESC, id DESC"),
        ("m", "m, id"),
        ("-m,x", "m DESC, x, id"),
        ("n,-m", "n, m DESC, id DESC"),
        ("f", "f, id"),
        ("-f", "f DESC, id DESC"),
        ("at", "at, id"),
        ("-at,u", "at DESC, u, id"),
        ("u", "u, id"),
        ("-b", "b DESC, id DESC"),
        ("ip,-x", "ip, x DESC, id DESC"),
    ] {
        let expected = served.sql(&format!(
            "SELECT string_agg(id::text, '|' ORDER BY {order}) FROM t"
        ));
        // The direction of the tie-breaker follows the index: only the keys that were asked for are certain.
        let found = walk(&served, "t", "id", sort).await;
        let keys = order.rsplit_once(", id").map_or(order, |(keys, _)| keys);
        let as_asked = |ids: &str| {
            served.sql(&format!(
                "SELECT string_agg(concat_ws(' ', dense), '|' ORDER BY place) FROM (SELECT dense_rank() OVER (ORDER BY {keys}) AS dense, id FROM t) AS d
                 JOIN unnest(string_to_array('{ids}', '|')::int[]) WITH ORDINALITY AS w(id, place) USING (id)"
            ))
        };
        let found = found.join("|");
        assert_eq!(as_asked(&found), as_asked(&expected), "{sort}: {found}");
        let mut ids: Vec<i32> = found.split('|').map(|id| id.parse().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=40).collect::<Vec<_>>(), "{sort}");
    }
    assert_eq!(walk(&served, "pair", "a,b", "").await.len(), 30);
    assert_eq!(walk(&served, "pair", "a,b", "c,-a").await.len(), 30);
    assert_eq!(walk(&served, "keyless", "a", "-b").await.len(), 20);
}

#[tokio::test]
async fn a_page_is_a_range_of_an_index_however_deep() {
    let served = Served::open(
        "CREATE TABLE t(id int PRIMARY KEY, x int); CREATE INDEX t_x ON t(x, id);
         INSERT INTO t SELECT i, nullif(i % 1000, 0) FROM generate_series(1, 20000) AS i; ANALYZE t",
    )
    .await;
    for sort in ["id", "-id", "x", "-x"] {
        let mut next = None;
        for _ in 0..3 {
            let query = next.map_or_else(
                || format!("sort={sort}"),
                |next| format!("sort={sort}&cursor={next}"),
            );
            let (_, cursor) = served.page("t", &query).await;
            next = cursor;
        }
        let query = format!("sort={sort}&cursor={}", next.unwrap());
        let plan = served.plan("t", &query).unwrap();
        let mut sql = plan.statement.sql.to_string();
        for (number, value) in plan.statement.values.iter().enumerate().rev() {
            let text = match value {
                paceline_data::Value::Integer(number) => format!("'{number}'"),
                other => panic!("{other:?}"),
            };
            sql = sql.replace(&format!("${}", number + 1), &text);
        }
        let explained = served.sql(&format!("EXPLAIN {sql}"));
        assert!(!explained.contains("Seq Scan"), "{sort}: {explained}");
        assert!(explained.contains("Index"), "{sort}: {explained}");
    }
}

/// What the server plans once and keeps, and what it is to plan by the values of each request.
#[tokio::test]
async fn the_number_of_rows_is_in_the_text_where_values_choose_no_plan() {
    let served = Served::open(SCHEMA).await;
    for (query, is_in_text) in [
        ("limit=7", true),
        ("limit=7&page=1&sort=-x", true),
        ("limit=7&id[gt]=5", true),
        ("limit=7&sort=-x&x[lte]=1&x[gt]=0", true),
        ("limit=7&page=3", false),
        ("limit=7&id=5", false),
        ("limit=7&x=1", false),
        ("limit=7&y[gt]=a", false),
        ("limit=7&id[gt]=5&x=1", false),
    ] {
        let statement = served.plan("t", query).unwrap().statement;
        let sql = &statement.sql;
        assert_eq!(sql.contains(" LIMIT 8"), is_in_text, "{query}: {sql}");
        assert_eq!(sql.contains(" LIMIT $"), !is_in_text, "{query}: {sql}");
    }
}
