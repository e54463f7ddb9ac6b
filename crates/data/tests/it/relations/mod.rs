//! Relations in both directions, on every engine: the same requests have the same bytes.

mod filters;
mod json_api;
mod lists;
mod plans;
mod sorts;
mod values;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use paceline_data::cursor::CursorKey;
use paceline_data::encode::{Layout, Neighbours};
use paceline_data::mysql::MySqlOptions;
use paceline_data::plan::{ExportPlan, ListPlan, OnePlan, parse_key};
use paceline_data::postgres::PostgresOptions;
use paceline_data::query::{Dialect, QueryError, parse_export, parse_list, parse_one};
use paceline_data::resource::{RelationSpec, ResourceSpec, Resources};
use paceline_data::sqlite::SqliteOptions;
use paceline_data::{Database, RowStream, RunError};
use paceline_test_servers::{MariaDb, Postgres};

use crate::files::File;

/// A schema and rows that every engine understands; `{text}` holds text that a key may hold too.
const LIBRARY: &str = "
    CREATE TABLE companies(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, boss_id INTEGER REFERENCES people(id),
        company_id INTEGER REFERENCES companies(id));
    CREATE INDEX people_boss ON people(boss_id);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES people(id), editor_id INTEGER REFERENCES people(id),
        title TEXT NOT NULL, score INTEGER);
    CREATE INDEX posts_author ON posts(author_id);
    CREATE TABLE tags(name {text} PRIMARY KEY NOT NULL, colour TEXT);
    CREATE TABLE post_tags(post_id INTEGER NOT NULL REFERENCES posts(id), tag {text} NOT NULL REFERENCES tags(name),
        PRIMARY KEY(post_id, tag));
    CREATE INDEX post_tags_tag ON post_tags(tag);
    CREATE TABLE profiles(person_id INTEGER PRIMARY KEY REFERENCES people(id), about TEXT);
    CREATE TABLE seats(hall {text} NOT NULL, seat INTEGER NOT NULL, PRIMARY KEY(hall, seat));
    CREATE TABLE tickets(id INTEGER PRIMARY KEY, hall {text}, seat INTEGER,
        FOREIGN KEY(hall, seat) REFERENCES seats(hall, seat));
    INSERT INTO companies VALUES (1, 'Acme'), (2, 'Bolt');
    INSERT INTO people VALUES (1, 'Ann', NULL, 1), (2, 'Bob', 1, 1), (3, 'Cid', 1, 2), (4, NULL, 2, NULL), (5, 'Eve', NULL, NULL);
    INSERT INTO posts VALUES (1, 1, 2, 'One', 5), (2, 1, NULL, 'Two', NULL), (3, 2, 1, 'Three', 7), (4, NULL, NULL, 'Four', 1),
        (5, 1, 1, 'Five', 5), (6, 4, 3, 'Six', 3);
    INSERT INTO tags VALUES ('red', 'r'), ('a,b&c', NULL), ('blue', 'b');
    INSERT INTO post_tags VALUES (1, 'red'), (1, 'blue'), (2, 'red'), (3, 'a,b&c'), (5, 'blue');
    INSERT INTO profiles VALUES (1, 'first'), (3, NULL);
    INSERT INTO seats VALUES ('A', 1), ('A', 2), ('B', 1);
    INSERT INTO tickets VALUES (1, 'A', 1), (2, 'A', 1), (3, 'B', 1), (4, NULL, 1);";

/// How the tables are shown: three posts of a person at most.
fn specs() -> Vec<ResourceSpec> {
    let mut people = ResourceSpec::new("people");
    people.type_name = Some("person".to_owned());
    let posts = RelationSpec {
        from: Some("posts".to_owned()),
        limit: Some(2),
        ..RelationSpec::from("author_id")
    };
    people.relations.insert("posts".to_owned(), posts);
    let mut tags = ResourceSpec::new("tags");
    let posts = RelationSpec {
        limit: Some(1),
        ..RelationSpec::default()
    };
    tags.relations.insert("posts".to_owned(), posts);
    let others = [
        "companies",
        "posts",
        "post_tags",
        "profiles",
        "seats",
        "tickets",
    ];
    let others = others.map(ResourceSpec::new);
    [people, tags].into_iter().chain(others).collect()
}

/// One open database and what is shown of it.
struct Served {
    database: Database,
    resources: Resources,
}

impl Served {
    fn new(database: Database, specs: Vec<ResourceSpec>) -> Self {
        let resources = if specs.is_empty() {
            Resources::discover(database.catalog())
        } else {
            Resources::build(database.catalog(), specs).unwrap()
        };
        Self {
            database,
            resources,
        }
    }

    fn list(&self, path: &str, query: &str, dialect: Dialect) -> Result<ListPlan, QueryError> {
        let resource = self.resources.by_path(path).unwrap();
        let query = parse_list(&self.resources, resource, dialect, query)?;
        ListPlan::new(&self.resources, &query, &CursorKey::new([7; 32]))
    }

    /// A page as it is answered, and the cursor of the next.
    async fn page(&self, path: &str, query: &str, dialect: Dialect) -> (String, Option<String>) {
        let plan = self
            .list(path, query, dialect)
            .unwrap_or_else(|error| panic!("{path}?{query}: {error}"));
        let answer = self.database.run(plan.statement.clone(), plan.encoder());
        let answer = answer
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {}", plan.statement.sql));
        let info = plan.info(&answer.encoder, None, &CursorKey::new([7; 32]));
        let neighbours = Neighbours::of("/p", "", &info, dialect);
        let mut body = answer.bytes;
        answer.encoder.finish(&info, &neighbours, "/p", &mut body);
        (String::from_utf8(body).unwrap(), info.next)
    }

    /// The rows of a page, as JSON text.
    async fn rows(&self, path: &str, query: &str) -> String {
        let (page, _) = self.page(path, query, Dialect::Plain).await;
        let rows = page.strip_prefix("{\"data\":").unwrap();
        rows.split(",\"pagination\":").next().unwrap().to_owned()
    }

    async fn one(&self, path: &str, key: &str, query: &str, dialect: Dialect) -> String {
        let resource = self.resources.by_path(path).unwrap();
        let parsed = parse_one(&self.resources, resource, dialect, query).unwrap();
        let key = parse_key(&self.resources, resource, key).unwrap();
        let plan = OnePlan::new(&self.resources, &parsed, &key);
        let answer = self
            .database
            .run(plan.statement.clone(), plan.encoder())
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {}", plan.statement.sql));
        String::from_utf8(answer.bytes).unwrap()
    }

    async fn export(&self, path: &str, query: &str, layout: Layout) -> String {
        let resource = self.resources.by_path(path).unwrap();
        let parsed = parse_export(&self.resources, resource, query).unwrap();
        let plan = ExportPlan::new(&self.resources, &parsed).unwrap();
        let encoder = plan.encoder(layout);
        let stream = self.database.stream(plan.statement, encoder, 32 * 1024);
        String::from_utf8(drained(stream.await.unwrap()).await.unwrap()).unwrap()
    }

    /// How many rows a total counts.
    async fn total(&self, path: &str, query: &str) -> u64 {
        let plan = self.list(path, query, Dialect::Plain).unwrap();
        let paceline_data::plan::TotalPlan::Counted(statement) = plan.total else {
            panic!("{query}: not counted");
        };
        self.database.total(&statement, None).await.unwrap()
    }
}

async fn drained(mut stream: RowStream) -> Result<Vec<u8>, RunError> {
    use futures_util::StreamExt as _;
    let mut bytes = Vec::new();
    while let Some(frame) = stream.next().await {
        bytes.extend_from_slice(&frame?);
    }
    Ok(bytes)
}

/// The same rows in each engine.
struct Each {
    sqlite: Served,
    postgres: Served,
    mariadb: Served,
    file: File,
    servers: (Arc<Postgres>, Arc<MariaDb>),
    names: (String, String),
}

impl Each {
    async fn library() -> Self {
        Self::library_as(specs()).await
    }

    /// The same tables, shown in another way.
    async fn library_as(specs: Vec<ResourceSpec>) -> Self {
        let others = LIBRARY.replace("{text}", "TEXT");
        let mariadb = LIBRARY.replace("{text}", "VARCHAR(40)");
        Self::open((&others, &others, &mariadb), specs).await
    }

    async fn open(
        (sqlite, postgres, mariadb): (&str, &str, &str),
        specs: Vec<ResourceSpec>,
    ) -> Self {
        let file = File::new(sqlite);
        let opened = Database::open(&SqliteOptions::new(file.path())).unwrap();
        let servers = (Postgres::shared(), MariaDb::shared());
        let names = (servers.0.database(), servers.1.database());
        servers.0.sql(&names.0, postgres);
        servers.1.sql(&names.1, mariadb);
        let (connections, most) = (NonZeroUsize::MIN, Duration::from_secs(20));
        let options = PostgresOptions::new(servers.0.url(&names.0).parse().unwrap())
            .connections(connections)
            .query_timeout(most);
        let on_postgres = Database::connect(options).await.unwrap();
        let options = MySqlOptions::new(servers.1.url(&names.1).parse().unwrap())
            .connections(connections)
            .query_timeout(most);
        let on_mariadb = Database::connect_mysql(options).await.unwrap();
        Self {
            sqlite: Served::new(opened, specs.clone()),
            postgres: Served::new(on_postgres, specs.clone()),
            mariadb: Served::new(on_mariadb, specs),
            file,
            servers,
            names,
        }
    }

    fn each(&self) -> [&Served; 3] {
        [&self.sqlite, &self.postgres, &self.mariadb]
    }

    /// The rows of a page: the same in each.
    async fn rows(&self, path: &str, query: &str) -> String {
        let rows = self.sqlite.rows(path, query).await;
        for other in &self.each()[1..] {
            assert_eq!(other.rows(path, query).await, rows, "{path}?{query}");
        }
        rows
    }

    /// Checks that a page has these rows in each, as JSON text.
    async fn check(&self, path: &str, query: &str, expected: &str) {
        assert_eq!(self.rows(path, query).await, expected, "{path}?{query}");
    }

    async fn one(&self, path: &str, key: &str, query: &str, dialect: Dialect) -> String {
        let row = self.sqlite.one(path, key, query, dialect).await;
        for other in &self.each()[1..] {
            let same = other.one(path, key, query, dialect).await;
            assert_eq!(same, row, "{path}/{key}?{query}");
        }
        row
    }
}
