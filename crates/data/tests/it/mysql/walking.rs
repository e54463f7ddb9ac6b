//! Walking a list by its cursors: every row once, in the server's own order.

use super::{Served, WAYS};

const SCHEMA: &str = "
    CREATE TABLE t(id int PRIMARY KEY, x int, y varchar(20), m enum('sad', 'ok', 'happy'), n decimal(10,3) NOT NULL, f float,
        d double, at timestamp(6) NULL, wall datetime(6), day date, u uuid, ip inet6, big bigint unsigned, bits bit(3),
        span time(3), exact varchar(20) COLLATE utf8mb4_bin, wide varchar(20) CHARACTER SET latin1, many text,
        KEY t_x (x, id), KEY t_y (y DESC, id), KEY t_m (m), KEY t_at (at));
    INSERT INTO t SELECT seq, nullif(seq % 4, 3), nullif(elt(seq % 6 + 1, 'a', 'A', 'b', 'B', 'ä', ''), ''),
        elt(seq % 4 + 1, 'happy', 'sad', 'ok', NULL), seq % 3 + 0.5, seq % 4 / 10, nullif(seq % 4, 2) / 3,
        if(seq % 3 > 0, timestamp '2026-01-01 00:00:00.123456' + interval seq % 3 microsecond, NULL),
        if(seq % 3 > 0, timestamp '2026-01-01 00:00:00.123456' + interval seq % 3 microsecond, NULL),
        nullif(date '2026-01-01' + interval seq % 4 day, '2026-01-02'), if(seq % 2, concat(seq % 6, '23e4567-e89b-12d3-a456-426614174000'), NULL), concat('::', seq % 4),
        if(seq % 3, 18446744073709551615 - seq % 3, NULL), seq % 8, sec_to_time((CAST(seq % 5 AS SIGNED) - 2) * 1000.5),
        elt(seq % 6 + 1, 'a', 'A', 'b', 'B', 'ä', ''), elt(seq % 6 + 1, 'a', 'A', 'b ', 'B', 'ä', 'é'), repeat(char(97 + seq % 5), 300)
        FROM seq_1_to_40;
    CREATE TABLE pair(a varchar(10) NOT NULL, b int NOT NULL, c int, PRIMARY KEY (a, b));
    INSERT INTO pair SELECT elt(seq % 4 + 1, 'a', 'b', 'C', 'c'), seq, nullif(seq % 4, 0) FROM seq_1_to_30;
    CREATE TABLE keyless(a int NOT NULL UNIQUE, b int); INSERT INTO keyless SELECT seq, seq % 3 FROM seq_1_to_20;";

/// The ids of all pages, read by cursor.
async fn walk(served: &Served, path: &str, key: &str, sort: &str) -> Vec<String> {
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
    for way in WAYS {
        let served = served.in_way(way).await;
        for (sort, keys) in [
            ("id", "id"),
            ("-id", "id DESC"),
            ("x", "x"),
            ("-x", "x DESC"),
            ("x,-y", "x, y DESC"),
            ("-x,y", "x DESC, y"),
            ("y", "y"),
            ("-y", "y DESC"),
            ("m", "m"),
            ("-m,x", "m DESC, x"),
            ("n,-m", "n, m DESC"),
            ("f", "f"),
            ("-f,d", "f DESC, d"),
            ("-d", "d DESC"),
            ("at", "at"),
            ("-at,u", "at DESC, u"),
            ("wall,-day", "wall, day DESC"),
            ("u", "u"),
            ("ip,-x", "ip, x DESC"),
            ("big", "big"),
            ("-big", "big DESC"),
            ("bits,-big", "bits, big DESC"),
            ("span", "span"),
            ("-exact", "exact DESC"),
            ("wide,exact", "wide, exact"),
            ("-many,y", "many DESC, y"),
        ] {
            let found = walk(&served, "t", "id", sort).await;
            // The direction of the tie-breaker follows the index: only the keys that were asked for are certain.
            let ranks = |ids: &str| {
                served.sql(&format!(
                    "SELECT group_concat(rank ORDER BY find_in_set(id, '{ids}')) FROM
                     (SELECT dense_rank() OVER (ORDER BY {keys}) AS rank, id FROM t) AS ranked"
                ))
            };
            let ranked = ranks(&found.join(","));
            let numbers: Vec<u32> = ranked
                .split(',')
                .map(|rank| rank.parse().unwrap())
                .collect();
            assert!(numbers.is_sorted(), "{sort} {way:?}: {ranked}");
            let mut ids: Vec<i32> = found.iter().map(|id| id.parse().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, (1..=40).collect::<Vec<_>>(), "{sort} {way:?}");
        }
        for (path, key, sort, rows) in [
            ("pair", "a,b", "", 30),
            ("pair", "a,b", "c,-a", 30),
            ("pair", "a,b", "-a", 30),
            ("keyless", "a", "-b", 20),
        ] {
            let mut found = walk(&served, path, key, sort).await;
            found.sort();
            found.dedup();
            assert_eq!(found.len(), rows, "{path} {sort}");
        }
    }
}

#[tokio::test]
async fn a_page_is_a_range_of_an_index_however_deep() {
    let served = Served::open(
        "CREATE TABLE t(id int PRIMARY KEY, x int, y int NOT NULL, at timestamp NOT NULL, n decimal(12,2) NOT NULL,
            KEY t_x(x, id), KEY t_y(y, id), KEY t_at(at, id), KEY t_n(n, id));
         INSERT INTO t SELECT seq, nullif(seq % 1000, 0), seq % 900, '2026-01-01' + interval seq second, seq / 7 FROM seq_1_to_20000;
         ANALYZE TABLE t",
    )
    .await;
    for sort in ["id", "-id", "x", "-x", "y", "-y", "at", "-at", "n", "-n"] {
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
                paceline_data::Value::Integer(number) => number.to_string(),
                paceline_data::Value::Text(text) => {
                    format!("'{}'", text.replace('T', " ").replace('Z', ""))
                }
                other => panic!("{other:?}"),
            };
            let number = number + 1;
            sql = sql.replace(&format!("?{number}i"), &text);
            sql = sql.replace(&format!("?{number}"), &text);
        }
        let explained = served.sql(&format!("EXPLAIN {sql}"));
        assert!(explained.contains("\trange\t"), "{sort}: {explained} {sql}");
        assert!(!explained.contains("filesort"), "{sort}: {explained}");
    }
}
