//! A seeded shop, made in each engine by the statements it understands.

use std::fmt::Write as _;

use paceline_test_servers::{MariaDb, PlanetScale, Postgres};

use super::{next, said, serve};
use crate::client::Answer;
use crate::server::Server;

/// `{integer}`, `{boolean}` and so on are the engine's types; the rest both understand.
pub(super) const SCHEMA: &str = "
    CREATE TABLE users (id {integer} PRIMARY KEY, name {text} NOT NULL, email {text} NOT NULL, password_hash {text},
        active {boolean} NOT NULL, joined {date} NOT NULL, boss_id {integer} REFERENCES users(id));
    CREATE TABLE posts (id {integer} PRIMARY KEY, user_id {integer} NOT NULL REFERENCES users(id), title {text} NOT NULL,
        score {real} NOT NULL, created_at {instant} NOT NULL, extra {json}, body {blob});
    CREATE INDEX posts_user ON posts(user_id);
    CREATE INDEX posts_score ON posts(score DESC, id);
    CREATE TABLE tags (post_id {integer} NOT NULL REFERENCES posts(id), tag {text} NOT NULL, PRIMARY KEY (post_id, tag));
    CREATE VIEW active_users AS SELECT id, name FROM users WHERE active = {true};";

const SQLITE: [(&str, &str); 9] = [
    ("{integer}", "INTEGER"),
    ("{text}", "TEXT"),
    ("{boolean}", "BOOLEAN"),
    ("{date}", "DATE"),
    ("{real}", "REAL"),
    ("{instant}", "DATETIME"),
    ("{json}", "JSON"),
    ("{blob}", "BLOB"),
    ("{true}", "1"),
];
pub(super) const POSTGRES: [(&str, &str); 9] = [
    ("{integer}", "bigint"),
    ("{text}", "text"),
    ("{boolean}", "boolean"),
    ("{date}", "date"),
    ("{real}", "double precision"),
    ("{instant}", "timestamptz"),
    ("{json}", "json"),
    ("{blob}", "bytea"),
    ("{true}", "true"),
];

const MARIADB: [(&str, &str); 9] = [
    ("{integer}", "bigint"),
    ("{text}", "varchar(200) COLLATE utf8mb4_bin"),
    ("{boolean}", "boolean"),
    ("{date}", "date"),
    ("{real}", "double"),
    ("{instant}", "timestamp"),
    ("{json}", "json"),
    ("{blob}", "blob"),
    ("{true}", "true"),
];

const WORDS: [&str; 6] = ["Brontë", "Čapek", "O'Hara", "x\"y\\z", "Ünal, A", "=1+1"];

/// The rows, as statements for an engine that writes bytes and truth values like this.
pub(super) fn rows(truth: [&str; 2], bytes: impl Fn(i64) -> String) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let word = |at: i64| WORDS[usize::try_from(at).unwrap() % WORDS.len()];
    let mut sql = String::new();
    for id in 1..=30_i64 {
        let boss = if id % 4 == 0 {
            (id / 4).to_string()
        } else {
            "NULL".to_owned()
        };
        let name = quoted(&format!("{} {id}", word(id)));
        let active = truth[usize::from(id % 3 == 0)];
        let joined = format!("2026-{:02}-{:02}", id % 12 + 1, id % 28 + 1);
        let _ = writeln!(
            sql,
            "INSERT INTO users VALUES ({id}, {name}, 'u{id}@example.com', 'secret', {active}, '{joined}', {boss});"
        );
    }
    for id in 1..=200_i64 {
        let title = quoted(&format!("{} & Söhne {}", word(id * 7), id % 10));
        let score = [0.5, -1.25, 3.0, 1e21, 0.1, 12_345.678][usize::try_from(id % 6).unwrap()];
        let created = format!(
            "2026-0{}-{:02}T{:02}:00:00Z",
            id % 9 + 1,
            id % 28 + 1,
            id % 24
        );
        let extra = match id % 3 {
            0 => "NULL".to_owned(),
            1 => format!("'{{\"a\": [{id}, null], \"b\":{{}}}}'"),
            _ => "'[1.50, \"x\"]'".to_owned(),
        };
        let body = bytes(id);
        let user = id % 30 + 1;
        let _ = writeln!(
            sql,
            "INSERT INTO posts VALUES ({id}, {user}, {title}, {score}, '{created}', {extra}, {body});"
        );
        let _ = writeln!(
            sql,
            "INSERT INTO tags VALUES ({id}, 'tag, {}'), ({id}, 'b');",
            id % 5
        );
    }
    sql
}

pub(super) fn with(schema: &str, types: &[(&str, &str)]) -> String {
    let filled = types.iter();
    filled.fold(schema.to_owned(), |text, (name, own)| {
        text.replace(name, own)
    })
}

struct Engines {
    sqlite: Server,
    postgres: Server,
    mariadb: Server,
    planetscale: Server,
    _double: PlanetScale,
    _cluster: std::sync::Arc<Postgres>,
    _server: std::sync::Arc<MariaDb>,
    _folder: tempfile::TempDir,
}

impl Engines {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let bytes = |id: i64| format!("x'00{id:02x}ff'");
        connection
            .execute_batch(&format!(
                "BEGIN; {} {} COMMIT;",
                with(SCHEMA, &SQLITE),
                rows(["0", "1"], bytes)
            ))
            .unwrap();
        let cluster = Postgres::shared();
        let name = cluster.database();
        let bytes = |id: i64| format!("'\\x00{id:02x}ff'");
        let file = folder.path().join("shop.sql");
        let statements = with(SCHEMA, &POSTGRES) + &rows(["false", "true"], bytes) + "ANALYZE;";
        std::fs::write(&file, statements).unwrap();
        cluster.sql_file(&name, &file);
        let server = MariaDb::shared();
        // One database, reached in two ways.
        let double = PlanetScale::start(&server);
        let shop = double.database().to_owned();
        let bytes = |id: i64| format!("x'00{id:02x}ff'");
        // Backslashes are themselves, and moments have no Z.
        let statements = rows(["false", "true"], bytes).replace(":00Z'", ":00'");
        let statements = with(SCHEMA, &MARIADB) + &statements;
        let file = folder.path().join("shop.mariadb.sql");
        std::fs::write(
            &file,
            format!("SET sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'; BEGIN; {statements} COMMIT;"),
        )
        .unwrap();
        server.sql_file(&shop, &file);
        Self {
            mariadb: Server::serve_url(&server.url(&shop)),
            planetscale: Server::serve_url(&double.address()),
            _double: double,
            _server: server,
            sqlite: Server::serve_url(&format!("sqlite:{}", path.display())),
            postgres: serve(&cluster, &name),
            _cluster: cluster,
            _folder: folder,
        }
    }

    /// Sends a request to each; they must say the same.
    #[track_caller]
    fn all(&self, path: &str, headers: &[&str]) -> [Answer; 4] {
        let answers = self.servers().map(|server| server.get_with(path, headers));
        check(&answers, path);
        answers
    }

    fn servers(&self) -> [&Server; 4] {
        [
            &self.sqlite,
            &self.postgres,
            &self.mariadb,
            &self.planetscale,
        ]
    }

    /// Walks a list to its end on each, by the cursor each gives.
    #[track_caller]
    fn walk(&self, path: &str) {
        let mut pages = self.all(path, &[]);
        for _ in 0..100 {
            let cursors = pages.each_ref().map(next);
            let [
                Some(sqlite),
                Some(postgres),
                Some(mariadb),
                Some(planetscale),
            ] = cursors
            else {
                assert_eq!(cursors, [None, None, None, None], "{path}");
                return;
            };
            let of = |server: &Server, cursor: &str| server.get(&format!("{path}&cursor={cursor}"));
            pages = [
                of(&self.sqlite, &sqlite),
                of(&self.postgres, &postgres),
                of(&self.mariadb, &mariadb),
                of(&self.planetscale, &planetscale),
            ];
            check(&pages, path);
        }
        panic!("{path} does not end");
    }
}

#[track_caller]
fn check(answers: &[Answer; 4], path: &str) {
    let [sqlite, postgres, mariadb, planetscale] = answers.each_ref().map(said);
    assert_eq!(postgres, sqlite, "PostgreSQL: {path}");
    assert_eq!(planetscale, mariadb, "PlanetScale: {path}");
    // Of two lists that of the table made first comes first; MySQL does not tell, and the names decide.
    if sqlite.contains("users_by_boss") {
        assert_eq!(unordered(&mariadb), unordered(&sqlite), "MariaDB: {path}");
        return;
    }
    assert_eq!(mariadb, sqlite, "MariaDB: {path}");
}

/// What was said, its members in no order.
fn unordered(said: &str) -> (String, serde_json::Value) {
    let (head, body) = said.split_once('\n').unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

/// Answered with 200, or with the status in front.
pub(super) const REQUESTS: [&str; 60] = [
    "/api/users",
    "/api/users?page=2&limit=7",
    "/api/users?page=99",
    "/api/users?limit=100&fields=id,name,boss.name,boss(boss(name))",
    "/api/users?fields=name,email&sort=-name&limit=5",
    "/api/users?active=true&count=none",
    "/api/users?active=false&joined[gte]=2026-06-01&sort=joined,-id",
    "/api/users?boss_id[null]=true&limit=3",
    "/api/users?boss_id=2",
    "/api/users?name[like]=%25hara%25",
    "/api/users?id[in]=3,1,2,99999999999999",
    "/api/users?name=O%27Hara%202",
    "/api/users/1",
    "/api/users/4?fields=id,boss(id,name)",
    "/api/users/1?fields[users]=name",
    "404 /api/users/999",
    "404 /api/users/x",
    "404 /api/nothing",
    "400 /api/users?colour=red",
    "400 /api/users?password_hash=secret",
    "400 /api/users?fields=password_hash",
    "400 /api/users?sort=password_hash",
    "400 /api/users?id=seven",
    "400 /api/users?active=yes",
    "400 /api/users?joined=yesterday",
    "400 /api/users?page=0",
    "400 /api/users?limit=101",
    "400 /api/users?cursor=AAAA",
    "400 /api/users?name[near]=x",
    "/api/posts?limit=50",
    "/api/posts?user_id=7&sort=-created_at&limit=3",
    "/api/posts?score[gt]=3&fields=id,score,user.name",
    "/api/posts?sort=-score,title&limit=100&page=2&fields=id,score,title",
    "/api/posts?created_at[lt]=2026-02-15T00:00:00Z&fields=id,created_at",
    "/api/posts/17?fields=id,extra,body,user(name,active)",
    "/api/posts?include=user&limit=3",
    "/api/tags?limit=9",
    "/api/tags?sort=-tag,post_id&limit=40",
    "/api/tags/17,tag%2C%202",
    "404 /api/tags/17,none",
    "/api/active_users?sort=id",
    "/api/users?fields=id,posts.title&limit=5",
    "/api/users/3?fields=name,posts(id,score,created_at,extra,body,tags.tag),users_by_boss(id,posts.id)",
    "/api/users?fields=name,users_by_boss(name,boss.name)&sort=-name&page=2&limit=7",
    "/api/posts/17?fields=title,user(name,posts.id),tags",
    "/api/users?posts.score[gt]=1000&fields=id",
    "/api/users?posts.tags.tag=b&posts.score=3&fields=id,posts.score",
    "/api/users?filter[users_by_boss.name][like]=%25hara%25&fields=id",
    "/api/posts?user.name[like]=x%25&sort=-user.name,id&fields=id,user.name",
    "/api/posts?user.boss.name[null]=false&sort=user.boss.name,-id&limit=9&fields=id",
    "/api/posts?sort=user.joined,-score,id&limit=50&fields=id",
    "/api/tags?post.user.active=true&limit=5",
    "/api/users?include=posts&limit=2",
    "400 /api/users?sort=posts.title",
    "400 /api/users?posts.password_hash=x",
    "400 /api/posts?user.password_hash=secret",
    "400 /api/users?fields=posts.user.password_hash",
    "/api/export/users",
    "/api/export/posts?user_id=7",
    "/api/export/tags?fields=tag",
];

#[test]
fn the_same_requests_have_the_same_answers() {
    let engines = Engines::start();
    for request in REQUESTS {
        let (status, path) = match request.split_once(' ') {
            Some((status, path)) => (status.parse().unwrap(), path),
            None => (200_u16, request),
        };
        let [answer, ..] = engines.all(path, &[]);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    let api = ["Accept: application/vnd.api+json"];
    for path in [
        "/api/users?page[size]=4",
        "/api/posts?include=user&page[size]=5&sort=-id",
        "/api/posts/3?include=user.boss&fields[users]=name,boss",
        "/api/tags/17,b",
        "/api/users?include=posts.tags,boss&page[size]=3",
        "/api/users/4?include=users_by_boss.posts&fields[posts]=title",
        "/api/posts?filter[user.name][like]=x%25&sort=-user.name,id&include=user.posts&page[size]=4",
    ] {
        let [answer, ..] = engines.all(path, &api);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for kind in ["text/csv", "application/x-ndjson"] {
        let accept = format!("Accept: {kind}");
        engines.all("/api/export/posts", &[&accept]);
        engines.all("/api/export/users?fields=id,name,boss.name", &[&accept]);
        engines.all(
            "/api/export/users?fields=id,posts(title,extra),boss.posts.id",
            &[&accept],
        );
    }
    for path in [
        "/api/posts?limit=7&fields=id",
        "/api/posts?limit=13&fields=id,score&sort=-score",
        "/api/posts?limit=13&fields=id,title&sort=title,-created_at",
        "/api/posts?limit=11&fields=id&sort=user_id,-score&score[lt]=100",
        "/api/tags?limit=17&sort=-tag",
        "/api/users?limit=4&sort=-active,name",
        "/api/users?limit=4&sort=-active,name&fields=id,posts(id,tags.tag)",
        "/api/posts?limit=17&sort=user.name,-score&fields=id,user.name",
        "/api/posts?limit=17&sort=-user.active,user.name,title&user.posts.score=3&fields=id",
    ] {
        engines.walk(path);
    }
}

/// What `NULL`s come to in an order is the engine's own: first in SQLite and MySQL, last in PostgreSQL. Each row comes all
/// the same, and once.
#[test]
fn an_order_with_nulls_is_the_engines_own_and_complete() {
    let engines = Engines::start();
    for server in engines.servers() {
        for sort in ["boss_id", "-boss_id", "boss_id,-name", "-boss_id,joined"] {
            let path = format!("/api/users?limit=4&fields=id&sort={sort}");
            let mut ids = Vec::new();
            let mut page = server.get(&path);
            loop {
                let rows = page.json();
                let rows = rows["data"].as_array().unwrap().iter();
                ids.extend(rows.map(|row| row["id"].as_i64().unwrap()));
                let Some(cursor) = next(&page) else { break };
                page = server.get(&format!("{path}&cursor={cursor}"));
            }
            ids.sort_unstable();
            assert_eq!(ids, (1..=30).collect::<Vec<_>>(), "{sort}");
        }
    }
    let first = |server: &Server| {
        server.get("/api/users?sort=boss_id&limit=1").json()["data"][0]["boss_id"].clone()
    };
    assert!(first(&engines.sqlite).is_null());
    assert!(first(&engines.mariadb).is_null());
    assert_eq!(first(&engines.postgres), 1);
}
