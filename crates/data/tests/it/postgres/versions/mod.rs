//! Table versions on a real server: what a stamp stands for, and when there is none.

mod gaps;
mod hammer;
mod installing;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use paceline_data::catalog::TableId;
use paceline_data::postgres::PostgresOptions;
use paceline_data::postgres::versions::{VersionState, install};
use paceline_data::resource::{ResourceSpec, Resources, WriteVerb};
use paceline_data::version::Stamp;
use paceline_data::write::{Changes, Precondition, WritePlan};
use paceline_data::{Database, Statement, Value};
use paceline_test_servers::Postgres;
use tokio_postgres::NoTls;

const SCHEMA: &str = "
    CREATE TABLE maker(id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
    CREATE TABLE item(id int PRIMARY KEY, maker_id int REFERENCES maker ON DELETE CASCADE, n int NOT NULL DEFAULT 0);
    CREATE TABLE aside(id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
    CREATE VIEW items AS SELECT i.id, m.n FROM item i JOIN maker m ON m.id = i.maker_id;
    INSERT INTO maker SELECT i FROM generate_series(1, 100) AS i;
    INSERT INTO item SELECT i, i FROM generate_series(1, 100) AS i; INSERT INTO aside VALUES (1);";

/// A database whose changes are told.
pub(super) struct Told {
    pub(super) server: Arc<Postgres>,
    pub(super) name: String,
    pub(super) database: Database,
    resources: Resources,
}

/// Until when something is to happen that takes a moment.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Puts the triggers in, on all tables or on those named.
pub(super) async fn install(url: &str, tables: &[&str]) {
    let address = url.parse().unwrap();
    let tables: Vec<String> = tables.iter().map(|name| (*name).to_owned()).collect();
    let change = install::installing(&address, &tables, soon())
        .await
        .unwrap();
    install::apply(&address, &change, soon()).await.unwrap();
}

impl Told {
    pub(super) async fn open(schema: &str) -> Self {
        Self::open_on(Postgres::shared(), schema, |options, _| options).await
    }

    /// `change` is given the options and the URL of the server itself.
    pub(super) async fn open_on(
        server: Arc<Postgres>,
        schema: &str,
        change: impl FnOnce(PostgresOptions, &str) -> PostgresOptions,
    ) -> Self {
        let name = server.database();
        server.sql(&name, schema);
        let url = server.url(&name);
        install(&url, &[]).await;
        let options = PostgresOptions::new(url.parse().unwrap())
            .connections(NonZeroUsize::new(4).unwrap())
            .writable(true);
        let database = Database::connect(change(options, &url)).await.unwrap();
        let specs = database.catalog().tables().iter().map(|table| {
            let mut spec = ResourceSpec::new(&table.name);
            if !table.primary_key.is_empty() {
                spec.write = vec![WriteVerb::Update, WriteVerb::Delete];
            }
            spec
        });
        let resources = Resources::build(database.catalog(), specs.collect()).unwrap();
        Self {
            server,
            name,
            database,
            resources,
        }
    }

    fn id(&self, table: &str) -> TableId {
        self.database.catalog().find(table).unwrap().id
    }

    pub(super) fn stamp(&self, table: &str) -> Option<Stamp> {
        self.database.stamp(&[self.id(table)])
    }

    pub(super) fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }

    /// Sets `n` of a row, through us.
    async fn set(&self, table: &str, id: i64, n: i64) {
        let resource = self.resources.by_path(table).unwrap();
        let key = [Value::Integer(id)];
        let body = format!("{{\"n\":{n}}}");
        let of = self.resources.table_of(resource);
        let changes = Changes::update(resource, of, &key, body.as_bytes(), None).unwrap();
        let plan = WritePlan::update(
            &self.resources,
            resource,
            &key,
            &changes,
            Precondition::None,
        );
        self.database.write(plan).await.unwrap();
    }

    async fn delete(&self, table: &str, id: i64) {
        let resource = self.resources.by_path(table).unwrap();
        let key = [Value::Integer(id)];
        let plan = WritePlan::delete(&self.resources, resource, &key, Precondition::None);
        self.database.write(plan).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let statement = Statement {
            sql: sql.into(),
            values: Vec::new(),
        };
        match self.database.value(statement).await.unwrap() {
            Some(Value::Integer(number)) => number,
            other => panic!("{other:?}"),
        }
    }

    /// A session of somebody else.
    pub(super) async fn stranger(&self) -> tokio_postgres::Client {
        stranger(&self.server, &self.name).await
    }
}

async fn stranger(server: &Postgres, database: &str) -> tokio_postgres::Client {
    let mut config = tokio_postgres::Config::new();
    config
        .host_path(server.socket_folder())
        .port(server.port())
        .user(Postgres::USER)
        .dbname(database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until something is so.
#[track_caller]
fn until(
    what: &str,
    most: Duration,
    mut is_so: impl FnMut() -> bool,
) -> impl Future<Output = Duration> {
    let what = what.to_owned();
    async move {
        let began = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        while !is_so() {
            assert!(began.elapsed() < most, "not within {most:?}: {what}");
            tick.tick().await;
        }
        began.elapsed()
    }
}

const QUICKLY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_another_session_changes_the_stamps_of_its_tables_only() {
    let told = Told::open(SCHEMA).await;
    assert_eq!(
        told.database.version_state(),
        VersionState::Told { except: Vec::new() }
    );
    for (sql, changed, kept) in [
        (
            "UPDATE maker SET n = n + 1 WHERE id = 1",
            &["maker", "items"][..],
            &["item", "aside"][..],
        ),
        (
            "DELETE FROM maker WHERE id = 2",
            &["maker", "item", "items"],
            &["aside"],
        ),
        (
            "INSERT INTO aside VALUES (2)",
            &["aside"],
            &["maker", "item", "items"],
        ),
        (
            "COPY aside(id) FROM PROGRAM 'echo 3'",
            &["aside"],
            &["maker", "item", "items"],
        ),
        (
            "TRUNCATE maker CASCADE",
            &["maker", "item", "items"],
            &["aside"],
        ),
        (
            "SET session_replication_role = replica; INSERT INTO aside VALUES (4)",
            &["aside"],
            &["maker"],
        ),
        (
            "WITH gone AS (DELETE FROM aside RETURNING id) INSERT INTO maker SELECT id FROM gone",
            &["aside", "maker", "items"],
            &["item"],
        ),
    ] {
        let of = |tables: &[&str]| -> Vec<Stamp> {
            let stamps = tables.iter().map(|table| told.stamp(table));
            stamps.map(|stamp| stamp.expect("it is told")).collect()
        };
        let (before, same) = (of(changed), of(kept));
        told.sql(sql);
        let moved = || {
            of(changed)
                .iter()
                .zip(&before)
                .all(|(now, then)| now != then)
        };
        until(sql, QUICKLY, moved).await;
        assert_eq!(of(kept), same, "{sql}");
    }
    let before = told.stamp("aside");
    told.sql("BEGIN; INSERT INTO aside VALUES (9); ROLLBACK");
    told.set("maker", 3, 1).await;
    assert_eq!(
        told.stamp("aside"),
        before,
        "what was rolled back changed nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_write_has_changed_its_stamps_when_it_is_answered() {
    let told = Told::open(SCHEMA).await;
    for id in 1..=100 {
        let before = ["maker", "item", "items"].map(|table| told.stamp(table).unwrap());
        let aside = told.stamp("aside");
        if id % 2 == 0 {
            told.set("maker", id, id).await;
            assert_ne!(told.stamp("maker"), Some(before[0]));
            assert_eq!(told.stamp("item"), Some(before[1]));
        } else {
            told.delete("maker", id).await;
            assert_ne!(told.stamp("maker"), Some(before[0]));
            assert_ne!(told.stamp("item"), Some(before[1]), "the cascade");
        }
        assert_ne!(told.stamp("items"), Some(before[2]), "the view");
        assert_eq!(told.stamp("aside"), aside);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_counts_when_it_commits_whoever_began_later() {
    let told = Told::open(SCHEMA).await;
    let (early, late) = (told.stranger().await, told.stranger().await);
    let before = told.stamp("maker").unwrap();
    early
        .batch_execute("BEGIN; UPDATE maker SET n = 1 WHERE id = 1")
        .await
        .unwrap();
    late.batch_execute("UPDATE maker SET n = 2 WHERE id = 2")
        .await
        .unwrap();
    until("the later one", QUICKLY, || {
        told.stamp("maker") != Some(before)
    })
    .await;
    // An answer read now does not have the early one's change. It may be kept until that commits, and no longer.
    let ticket = told.database.begin_read(&[told.id("maker")]);
    assert_eq!(told.number("SELECT sum(n)::bigint FROM maker").await, 2);
    assert!(ticket.still_valid());
    early.batch_execute("COMMIT").await.unwrap();
    until("the early one", QUICKLY, || !ticket.still_valid()).await;
    assert_eq!(told.number("SELECT sum(n)::bigint FROM maker").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hears_of_a_change_reads_it() {
    let told = Told::open(SCHEMA).await;
    let writer = told.stranger().await;
    for n in 1..=300_i64 {
        let before = told.stamp("aside").unwrap();
        let writing = writer.batch_execute("UPDATE aside SET n = n + 1");
        let reading = async {
            while told.stamp("aside") == Some(before) {
                tokio::task::yield_now().await;
            }
            told.number("SELECT n::bigint FROM aside").await
        };
        let (written, read) = tokio::join!(writing, reading);
        written.unwrap();
        assert_eq!(
            read, n,
            "the notification came before its commit could be seen"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_counted_once_until_their_table_changes() {
    let told = Told::open(SCHEMA).await;
    let count = Statement {
        sql: "SELECT count(*) FROM item".into(),
        values: Vec::new(),
    };
    let total = async || {
        let stamp = told.stamp("item");
        told.database.total(&count, stamp).await.unwrap()
    };
    let statements = || told.database.counts().statements;
    assert_eq!(total().await, 100);
    let before = statements();
    told.set("aside", 1, 5).await;
    let writes = statements() - before;
    for _ in 0..10 {
        assert_eq!(total().await, 100);
    }
    assert_eq!(statements(), before + writes, "nothing was counted again");
    told.delete("maker", 1).await;
    assert_eq!(total().await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_and_children_belong_to_their_table() {
    let told = Told::open(
        "CREATE TABLE p(id int, n int) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
         CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (20);
         CREATE TABLE parent(id int, n int); CREATE TABLE child(more int) INHERITS (parent);
         CREATE VIEW part AS SELECT id FROM p1;
         INSERT INTO p SELECT i, 0 FROM generate_series(0, 19) AS i; INSERT INTO child VALUES (1, 0, 0);",
    )
    .await;
    for (sql, tables) in [
        ("UPDATE p SET n = 1 WHERE id = 1", &["p", "part"][..]),
        ("UPDATE p21 SET n = 2", &["p"]),
        ("UPDATE p1 SET n = 2", &["p", "part"]),
        ("TRUNCATE p2", &["p"]),
        ("UPDATE parent SET n = 1", &["parent", "child"]),
        ("UPDATE child SET n = 2", &["parent", "child"]),
    ] {
        let before: Vec<Stamp> = tables
            .iter()
            .map(|table| told.stamp(table).expect(table))
            .collect();
        told.sql(sql);
        for (table, before) in tables.iter().zip(before) {
            until(sql, QUICKLY, || told.stamp(table) != Some(before)).await;
        }
    }
    // A partition that came later and tells nothing makes the whole unknown, until it does.
    told.sql("CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)");
    until("the new partition", QUICKLY, || told.stamp("p").is_none()).await;
    until("the others are told of", QUICKLY, || {
        told.stamp("parent").is_some()
    })
    .await;
    install(&told.server.url(&told.name), &["p"]).await;
    until("its trigger", QUICKLY, || told.stamp("p").is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_more_than_tables_has_no_stamp() {
    let told = Told::open(
        "CREATE TABLE t(id int PRIMARY KEY, at timestamptz DEFAULT now(), name text);
         CREATE FUNCTION own(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
         CREATE VIEW plain AS SELECT id, upper(name) AS name, count(*) OVER () AS many, to_char(at, 'YYYY') AS year FROM t;
         CREATE VIEW nested AS SELECT p.id FROM plain p WHERE EXISTS (SELECT FROM t WHERE t.id = p.id + 1);
         CREATE VIEW recent AS SELECT id FROM t WHERE at > now() - interval '1 day';
         CREATE VIEW today AS SELECT id, CURRENT_DATE AS day FROM t;
         CREATE VIEW dice AS SELECT id, random() AS r FROM t;
         CREATE VIEW called AS SELECT own(id) AS id FROM t;
         CREATE VIEW around AS SELECT r.id FROM recent r;
         CREATE VIEW server AS SELECT count(*) AS many FROM pg_class;
         CREATE VIEW spoken AS SELECT id FROM t WHERE at > 'now'::text::timestamptz;
         CREATE MATERIALIZED VIEW stored AS SELECT id FROM t;
         CREATE VIEW over AS SELECT id FROM stored;",
    )
    .await;
    for known in ["t", "plain", "nested"] {
        assert!(told.stamp(known).is_some(), "{known}");
    }
    for unknown in [
        "recent", "today", "dice", "called", "around", "server", "spoken", "stored", "over",
    ] {
        assert!(told.stamp(unknown).is_none(), "{unknown}");
    }
    assert!(
        told.database
            .stamp(&[told.id("t"), told.id("dice")])
            .is_none()
    );
    let VersionState::Told { except } = told.database.version_state() else {
        panic!("it is told")
    };
    assert_eq!(except.len(), 9, "{except:?}");
}
