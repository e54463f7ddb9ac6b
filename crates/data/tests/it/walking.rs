//! Walking a list by its cursors while others insert and delete.

use std::collections::HashSet;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::plan::ListPlan;
use paceline_data::query::{Dialect, parse_list};
use paceline_data::resource::Resources;
use paceline_data::sqlite::SqliteOptions;
use proptest::prelude::*;
use rusqlite::params;
use serde_json::Value;

use crate::files::File;

/// Coprime to the number of keys it is used with, so that new keys fall anywhere between the old ones.
const STRIDE: i64 = 7_919;
const KEYS: i64 = 100_003;

/// A table and the sort orders it is walked in.
#[derive(Debug, Clone, Copy)]
struct Walk {
    table: &'static str,
    sort: &'static str,
    order: &'static str,
}

const fn walk(table: &'static str, sort: &'static str, order: &'static str) -> Walk {
    Walk { table, sort, order }
}

const SCHEMA: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;
    CREATE TABLE plain(id INTEGER PRIMARY KEY, stable INTEGER NOT NULL, x INTEGER, y TEXT);
    CREATE INDEX plain_x ON plain(x, y DESC);
    CREATE TABLE pair(y TEXT, id INTEGER NOT NULL, x INTEGER, stable INTEGER NOT NULL, half TEXT NOT NULL,
        PRIMARY KEY (half, id)) WITHOUT ROWID;";

const WALKS: [Walk; 12] = [
    walk("plain", "", "id"),
    walk("plain", "-id", "id DESC"),
    walk("plain", "x", "x"),
    walk("plain", "-x", "x DESC"),
    walk("plain", "x,-y", "x, y DESC"),
    walk("plain", "-x,y", "x DESC, y"),
    walk("plain", "y,-id", "y, id DESC"),
    walk("pair", "", "half, id"),
    walk("pair", "-id", "id DESC"),
    walk("pair", "x,-half", "x, half DESC"),
    walk("pair", "-y,x", "y DESC, x"),
    walk("pair", "-half,y", "half DESC, y"),
];

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Change {
    Insert(Option<i64>, Option<&'static str>),
    /// Deletes one of the rows that come and go.
    Delete(usize),
}

fn cells() -> impl Strategy<Value = (Option<i64>, Option<&'static str>)> {
    let text = prop::sample::select(vec!["", "a", "B", "é", "z"]);
    (prop::option::of(-2i64..3), prop::option::of(text))
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        cells().prop_map(|(x, y)| Change::Insert(x, y)),
        any::<usize>().prop_map(Change::Delete),
    ]
}

/// The others: rows that come and go in one table.
struct Others {
    connection: rusqlite::Connection,
    table: &'static str,
    made: i64,
    there: Vec<i64>,
}

impl Others {
    fn add(&self, id: i64, stable: bool, x: Option<i64>, y: Option<&str>) {
        let (columns, values) = if self.table == "pair" {
            (", half", if id % 2 == 0 { ", 'even'" } else { ", 'odd'" })
        } else {
            ("", "")
        };
        let sql = format!(
            "INSERT INTO {}(id, stable, x, y{columns}) VALUES (?1, ?2, ?3, ?4{values})",
            self.table
        );
        self.connection
            .execute(&sql, params![id, stable, x, y])
            .unwrap();
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Insert(x, y) => {
                self.made += 1;
                // Odd: the rows that stay have even keys, so a new one may fall between any two.
                let id = 2 * (self.made * STRIDE % KEYS) + 1;
                self.add(id, false, *x, *y);
                self.there.push(id);
            }
            Change::Delete(which) if !self.there.is_empty() => {
                let id = self.there.swap_remove(which % self.there.len());
                let sql = format!("DELETE FROM {} WHERE id = ?1", self.table);
                self.connection.execute(&sql, [id]).unwrap();
            }
            Change::Delete(_) => {}
        }
    }
}

fn cursor_key() -> CursorKey {
    CursorKey::new([7; 32])
}

/// One page's rows and the cursor of the next.
async fn page(
    database: &Database,
    table: &str,
    query: &str,
    cursors: &CursorKey,
) -> (Vec<Value>, Option<String>) {
    let resources = Resources::discover(database.catalog());
    let resource = resources.by_path(table).unwrap();
    let query = parse_list(&resources, resource, Dialect::Plain, query).unwrap();
    let plan = ListPlan::new(&resources, &query, cursors).unwrap();
    let answer = database
        .run(plan.statement.clone(), plan.encoder())
        .await
        .unwrap();
    let info = plan.info(&answer.encoder, None, cursors);
    let text = [answer.bytes.as_slice(), b"]}"].concat();
    let mut document: Value = serde_json::from_slice(&text).unwrap();
    let rows = document["data"].take();
    (rows.as_array().unwrap().clone(), info.next)
}

/// Walks the whole table with `changes` between the pages; answers the rows seen, in their order.
async fn walked(
    file: &File,
    walk: Walk,
    limit: u32,
    others: &mut Others,
    changes: &[Vec<Change>],
) -> Vec<Value> {
    let database = Database::open(&SqliteOptions::new(file.path())).unwrap();
    let cursors = cursor_key();
    let mut changes = changes.iter();
    let mut seen = Vec::new();
    let mut cursor = None::<String>;
    loop {
        let mut query = format!("limit={limit}&count=none");
        if !walk.sort.is_empty() {
            query.extend(["&sort=", walk.sort]);
        }
        if let Some(cursor) = &cursor {
            query.extend(["&cursor=", cursor]);
        }
        let (rows, next) = page(&database, walk.table, &query, &cursors).await;
        seen.extend(rows);
        assert!(seen.len() < 1_000, "the walk does not end");
        match next {
            Some(next) => cursor = Some(next),
            None => return seen,
        }
        for change in changes.next().into_iter().flatten() {
            others.apply(change);
        }
    }
}

/// The sort keys of the rows that stay, as the database orders them.
fn expected(others: &Others, walk: Walk) -> Vec<(Value, Value)> {
    let sql = format!(
        "SELECT x, y FROM {} WHERE stable ORDER BY {}",
        walk.table, walk.order
    );
    let mut statement = others.connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| {
        let x: Option<i64> = row.get(0)?;
        let y: Option<String> = row.get(1)?;
        Ok((Value::from(x), Value::from(y)))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The part of a row's cells that the order of `walk` is about.
fn sorted_by(walk: Walk, (x, y): (Value, Value)) -> (Value, Value) {
    let only = |column: &str, value: Value| {
        let named = walk.order.split([' ', ',']).any(|word| word == column);
        if named { value } else { Value::Null }
    };
    (only("x", x), only("y", y))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Each row that is there from the first page to the last is seen exactly once and in the order of the
    /// sort; no row is seen twice.
    #[test]
    fn trap_13_rows_that_stay_are_seen_once_whatever_comes_and_goes(
        walk in prop::sample::select(WALKS.as_slice()),
        limit in 1u32..6,
        stay in prop::collection::vec(cells(), 0..40),
        before in prop::collection::vec(cells(), 0..15),
        changes in prop::collection::vec(prop::collection::vec(change(), 0..4), 0..30),
    ) {
        let file = File::new(SCHEMA);
        let mut others = Others { connection: file.connect(), table: walk.table, made: 0, there: Vec::new() };
        for (position, (x, y)) in stay.iter().enumerate() {
            let id = 2 * ((i64::try_from(position).unwrap() + 1) * STRIDE % KEYS);
            others.add(id, true, *x, *y);
        }
        for (x, y) in before {
            others.apply(&Change::Insert(x, y));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let seen = runtime.block_on(walked(&file, walk, limit, &mut others, &changes));

        let mut keys = HashSet::new();
        for row in &seen {
            prop_assert!(keys.insert(row["id"].as_i64().unwrap()), "twice: {}", row);
        }
        let stayed: Vec<&Value> = seen.iter().filter(|row| row["stable"] == 1).collect();
        prop_assert_eq!(stayed.len(), stay.len());
        let found: Vec<_> = stayed.iter().map(|row| sorted_by(walk, (row["x"].clone(), row["y"].clone()))).collect();
        let wanted: Vec<_> = expected(&others, walk).into_iter().map(|cells| sorted_by(walk, cells)).collect();
        prop_assert_eq!(found, wanted);
    }
}

/// The steps SQLite takes for a list.
fn steps(file: &File, table: &str, query: &str) -> Vec<String> {
    let database = Database::open(&SqliteOptions::new(file.path())).unwrap();
    let resources = Resources::discover(database.catalog());
    let resource = resources.by_path(table).unwrap();
    let query = parse_list(&resources, resource, Dialect::Plain, query).unwrap();
    let plan = ListPlan::new(&resources, &query, &cursor_key()).unwrap();
    let connection = file.connect();
    let sql = format!("EXPLAIN QUERY PLAN {}", plan.statement.sql);
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

#[test]
fn pages_in_the_order_of_a_key_or_an_index_are_never_sorted() {
    let file = File::new(SCHEMA);
    let check = |query: &str, start: &str| {
        let steps = steps(&file, "plain", query);
        assert!(steps[0].starts_with(start), "{query}: {steps:?}");
        assert_eq!(
            steps.len(),
            1,
            "{query}: no second step, no sorting: {steps:?}"
        );
    };
    check("", "SCAN t0");
    check("page=3", "SCAN t0");
    check("id[gt]=7", "SEARCH t0 USING INTEGER PRIMARY KEY");
    check("x=1&sort=-y", "SEARCH t0 USING INDEX plain_x");
    check("sort=x,-y", "SCAN t0 USING INDEX plain_x");
    check("sort=-x,y", "SCAN t0 USING INDEX plain_x");
}

#[tokio::test]
async fn the_page_behind_a_cursor_is_searched_for_not_scanned() {
    let file = File::new(SCHEMA);
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
        INSERT INTO plain SELECT i, 1, nullif(i % 5, 0), i % 3 FROM n";
    file.connect().execute_batch(rows).unwrap();
    let database = Database::open(&SqliteOptions::new(file.path())).unwrap();
    let none_sorts = |steps: &[String]| !steps.iter().any(|step| step.contains("TEMP B-TREE"));
    for (sort, limit, searches) in [
        ("id", 7, vec!["INTEGER PRIMARY KEY (rowid>?)"]),
        ("-id", 7, vec!["INTEGER PRIMARY KEY (rowid<?)"]),
        // Behind a value: its range, and going down that of NULL too.
        ("x,-y", 12, vec!["INDEX plain_x (x>?)"]),
        (
            "-x,y",
            7,
            vec!["INDEX plain_x (x<?)", "INDEX plain_x (x=?)"],
        ),
        // Behind NULL, which comes first going up and last going down.
        (
            "x,-y",
            7,
            vec![
                "INDEX plain_x (x=? AND y<?)",
                "INDEX plain_x (x=? AND y=?)",
                "INDEX plain_x (x>?)",
            ],
        ),
        ("-x,y", 43, vec!["INDEX plain_x (x=? AND y>?)"]),
    ] {
        let query = format!("sort={sort}&limit={limit}");
        let (_, next) = page(&database, "plain", &query, &cursor_key()).await;
        let steps = steps(&file, "plain", &format!("{query}&cursor={}", next.unwrap()));
        assert!(none_sorts(&steps), "{sort}: {steps:?}");
        let prefix = "SEARCH t0 USING ";
        let found: Vec<&str> = steps
            .iter()
            .filter_map(|step| step.strip_prefix(prefix))
            .collect();
        assert_eq!(found, searches, "{sort} {limit}: {steps:?}");
        assert!(
            !steps.iter().any(|step| step.starts_with("SCAN")),
            "{sort}: {steps:?}"
        );
    }
}
