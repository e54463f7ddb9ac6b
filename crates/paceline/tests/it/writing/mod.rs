//! Writes over every engine: whose rows, how many at a time, repeated, followed by jobs.

mod bulk;
mod follow;
mod injection;
mod install;
mod neon;
mod owners;
mod repeat;
mod upsert;

use std::process::Command;
use std::sync::Arc;

use paceline_test_servers::{MariaDb, PlanetScale, PlanetScaleOptions, Postgres, free_port};

use crate::server::{BINARY, Server};

/// What every engine understands; `{key}` makes a key, `{text}` holds text that an index may hold too, `{json}` JSON.
const SCHEMA: &str = "
    CREATE TABLE members (id {key}, email {text} NOT NULL UNIQUE);
    CREATE TABLE notes (id {key}, text TEXT NOT NULL, stars INTEGER NOT NULL DEFAULT 0 CHECK (stars >= 0),
        member_id INTEGER NOT NULL REFERENCES members(id), extra {json});
    CREATE INDEX notes_member ON notes(member_id);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, title {text} NOT NULL UNIQUE, words INTEGER, secret_plan TEXT,
        member_id INTEGER REFERENCES members(id));
    INSERT INTO members (email) VALUES ('ada@example.com'), ('bob@example.com');
    INSERT INTO notes (text, member_id) VALUES ('of ada', 1), ('of bob', 2), ('of ada too', 1);
    INSERT INTO posts (id, title, member_id) VALUES (1, 'By Ada', 1), (2, 'By Bob', 2);";

fn schema(key: &str, text: &str, json: &str) -> String {
    let schema = SCHEMA.replace("{key}", key);
    schema.replace("{text}", text).replace("{json}", json)
}

/// A database of a server, and the server, for as long as it is needed.
#[derive(Clone)]
pub(super) enum Held {
    Postgres(Arc<Postgres>, String),
    MariaDb(Arc<MariaDb>, String),
    PlanetScale(Arc<PlanetScale>),
}

impl Held {
    pub(super) fn url(&self) -> String {
        match self {
            Self::Postgres(server, name) => server.url(name),
            Self::MariaDb(server, name) => server.url(name),
            Self::PlanetScale(double) => double.address(),
        }
    }

    /// Runs statements and gives what the first of them answers.
    fn sql(&self, statements: &str) -> String {
        match self {
            Self::Postgres(server, name) => server.sql(name, statements).trim().to_owned(),
            Self::MariaDb(server, name) => server.sql(name, statements),
            Self::PlanetScale(double) => double.sql(statements),
        }
    }
}

/// A service over one engine.
pub(super) struct World {
    pub(super) engine: &'static str,
    pub(super) server: Server,
    /// Lines of `Authorization`.
    pub(super) ada: String,
    pub(super) bob: String,
    /// What speaks HTTP in between, where something does.
    _gateway: Option<Server>,
    held: Option<Held>,
    _folder: tempfile::TempDir,
}

/// A new key: the key, and the table of the configuration that knows it.
pub(super) fn new_key(name: &str, principal: &str) -> (String, String) {
    let made = Command::new(BINARY)
        .args([
            "secret",
            "api-key",
            "--name",
            name,
            "--principal",
            principal,
        ])
        .output()
        .unwrap();
    assert!(made.status.success());
    let text = String::from_utf8(made.stdout).unwrap();
    let (key, table) = text.split_once("\n\n").unwrap();
    (key.to_owned(), table.to_owned())
}

/// The same service over each engine; keys make Ada and Bob known.
pub(super) fn worlds(config: &str) -> Vec<World> {
    let mut all = interactive_worlds(config);
    all.push(over_http(config));
    all
}

/// The same where a transaction can wait for answers: not over HTTP.
pub(super) fn interactive_worlds(config: &str) -> Vec<World> {
    worlds_after(config, &|_| {})
}

/// The same, on databases that something is done to first, by their URL.
pub(super) fn worlds_after(config: &str, prepare: &dyn Fn(&str)) -> Vec<World> {
    ["sqlite", "postgres", "mariadb"]
        .map(|engine| world(engine, config, prepare))
        .into()
}

/// PostgreSQL through our own `[sql]`, which the vendor's driver judges, as a role that is no superuser.
pub(super) fn over_http(config: &str) -> World {
    over_http_on(&Postgres::shared(), config)
}

/// The same on a cluster of the test's own.
pub(super) fn over_http_on(cluster: &Arc<Postgres>, config: &str) -> World {
    let name = &postgres_on(cluster);
    let role = format!("over_http_{name}");
    cluster.sql(
        name,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'of-the-role'; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
             GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ),
    );
    let port = free_port();
    let url = format!(
        "postgres://{role}:of-the-role@127.0.0.1:{}/{name}",
        cluster.port()
    );
    let gateway = format!(
        "[database]\nurl = \"{url}\"\n[sql]\nlisten = \"127.0.0.1:{port}\"\nurl = \"{url}\"\nuser = \"app\"\npassword = \"hunter2\"\n"
    );
    let gateway = Server::serve(&gateway, tempfile::tempdir().unwrap());
    let url = format!("neon+http://app:hunter2@127.0.0.1:{port}/{name}");
    let held = Held::Postgres(Arc::clone(cluster), name.clone());
    let folder = tempfile::tempdir().unwrap();
    World {
        _gateway: Some(gateway),
        ..start("neon", &url, Some(held), config, folder)
    }
}

/// The same, and over HTTP as at `PlanetScale`, which says that it is MySQL: no statement of that gives back a key.
pub(super) fn worlds_and_planetscale(config: &str, prepare: &dyn Fn(&str)) -> Vec<World> {
    let mut worlds = worlds_after(config, prepare);
    worlds.push(world("planetscale", config, prepare));
    worlds
}

/// A database with the tables, on the shared server of each engine that has one.
pub(super) fn databases() -> [Held; 2] {
    [
        database_on(&Postgres::shared()),
        database_on_mariadb(&MariaDb::shared()),
    ]
}

/// The service on a cluster of the test's own.
pub(super) fn on_postgres(cluster: &Arc<Postgres>, config: &str) -> World {
    let held = database_on(cluster);
    let folder = tempfile::tempdir().unwrap();
    start("postgres", &held.url(), Some(held.clone()), config, folder)
}

fn database_on(cluster: &Arc<Postgres>) -> Held {
    Held::Postgres(Arc::clone(cluster), postgres_on(cluster))
}

/// Makes a database with the tables and gives its name.
fn postgres_on(cluster: &Postgres) -> String {
    let key = "INTEGER PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY";
    let name = cluster.database();
    cluster.sql(&name, &schema(key, "TEXT", "JSONB"));
    name
}

fn database_on_mariadb(server: &Arc<MariaDb>) -> Held {
    let name = server.database();
    server.sql(&name, &mysql_schema());
    Held::MariaDb(Arc::clone(server), name)
}

fn database_at_planetscale() -> Held {
    let options = PlanetScaleOptions {
        version: Some("8.0.40-Vitess".to_owned()),
        ..PlanetScaleOptions::default()
    };
    let double = PlanetScale::start_with(&MariaDb::shared(), options);
    double.sql(&mysql_schema());
    Held::PlanetScale(Arc::new(double))
}

fn mysql_schema() -> String {
    schema("INTEGER PRIMARY KEY AUTO_INCREMENT", "VARCHAR(200)", "JSON")
}

fn world(engine: &'static str, config: &str, prepare: &dyn Fn(&str)) -> World {
    let folder = tempfile::tempdir().unwrap();
    let held = match engine {
        "postgres" => Some(database_on(&Postgres::shared())),
        "mariadb" => Some(database_on_mariadb(&MariaDb::shared())),
        "planetscale" => Some(database_at_planetscale()),
        _ => None,
    };
    let url = held.as_ref().map_or_else(
        || {
            let path = folder.path().join("app.db");
            let connection = rusqlite::Connection::open(&path).unwrap();
            let schema = schema("INTEGER PRIMARY KEY", "TEXT", "JSON");
            connection.execute_batch(&schema).unwrap();
            format!("sqlite:{}", path.display())
        },
        Held::url,
    );
    prepare(&url);
    start(engine, &url, held, config, folder)
}

fn start(
    engine: &'static str,
    url: &str,
    held: Option<Held>,
    config: &str,
    folder: tempfile::TempDir,
) -> World {
    let (ada, ada_table) = new_key("ada", "1");
    let (bob, bob_table) = new_key("bob", "2");
    let config = format!("[database]\nurl = \"{url}\"\n{config}\n{ada_table}\n{bob_table}\n");
    let authorization = |key: &str| format!("Authorization: Bearer {key}");
    let dir = folder.path().to_owned();
    std::fs::write(dir.join("paceline.toml"), config).unwrap();
    World {
        engine,
        server: Server::serve_folder(dir, None),
        ada: authorization(&ada),
        bob: authorization(&bob),
        _gateway: None,
        held,
        _folder: folder,
    }
}

impl World {
    /// The URL of the database, where it is a server.
    pub(super) fn server_url(&self) -> Option<String> {
        self.held.as_ref().map(Held::url)
    }

    /// Starts the service again; the one before is gone.
    pub(super) fn restart(&mut self) {
        self.server = Server::serve_folder(self.server.dir.clone(), None);
    }

    /// Runs statements beside the service.
    pub(super) fn run(&self, statements: &str) {
        if let Some(held) = &self.held {
            held.sql(statements);
        } else {
            let path = self.server.dir.join("app.db");
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.execute_batch(statements).unwrap();
        }
    }

    /// The first value of a statement, as text, beside the service.
    pub(super) fn sql(&self, statement: &str) -> String {
        if let Some(held) = &self.held {
            return held.sql(statement);
        }
        let path = self.server.dir.join("app.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        let value: rusqlite::types::Value = connection
            .query_row(statement, [], |row| row.get(0))
            .unwrap();
        match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    }
}
