//! Stamps: they change with every commit that matters, and with no other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use paceline_data::catalog::TableId;
use paceline_data::resource::{ResourceSpec, Resources, WriteVerb};
use paceline_data::sqlite::{Access, SqliteOptions, row_version_sql};
use paceline_data::version::Stamp;
use paceline_data::write::{Changes, Precondition, WriteError, WritePlan, Written};
use paceline_data::{Database, Value};
use rusqlite::Connection;

use crate::files::{File, sql};

const SCHEMA: &str = "
    CREATE TABLE parent(id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0));
    CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent ON DELETE CASCADE);
    CREATE TABLE strict_child(parent_id INTEGER PRIMARY KEY REFERENCES parent ON DELETE SET NULL) WITHOUT ROWID;
    CREATE TABLE logged(id INTEGER PRIMARY KEY, n INTEGER);
    CREATE TABLE log(n INTEGER);
    CREATE TRIGGER write_log AFTER UPDATE ON logged BEGIN INSERT INTO log VALUES (new.n); END;
    CREATE TABLE alone(id INTEGER PRIMARY KEY, n INTEGER);
    CREATE VIEW seen AS SELECT n FROM parent;
    INSERT INTO parent VALUES (1, 0), (2, 0); INSERT INTO child VALUES (1, 1), (2, 2);
    INSERT INTO logged VALUES (1, 0); INSERT INTO alone VALUES (1, 0);";

struct Shop {
    file: File,
    database: Database,
    resources: Resources,
}

impl Shop {
    fn open(access: Access) -> Self {
        let file = File::new(SCHEMA);
        let database = Database::open(&SqliteOptions::new(file.path()).access(access)).unwrap();
        let specs = ["parent", "logged", "alone"].map(|name| {
            let mut spec = ResourceSpec::new(name);
            spec.write = vec![
                WriteVerb::Create,
                WriteVerb::Update,
                WriteVerb::Replace,
                WriteVerb::Delete,
            ];
            spec
        });
        let resources = Resources::build(database.catalog(), specs.to_vec()).unwrap();
        Self {
            file,
            database,
            resources,
        }
    }

    fn table(&self, name: &str) -> TableId {
        self.database.catalog().find(name).unwrap().id
    }

    fn stamp(&self, name: &str) -> Stamp {
        self.database.stamp(&[self.table(name)]).unwrap()
    }

    fn stamps(&self) -> HashMap<String, Stamp> {
        let tables = self.database.catalog().tables();
        tables
            .iter()
            .map(|table| (table.name.clone(), self.stamp(&table.name)))
            .collect()
    }

    async fn set(&self, name: &str, n: i64) -> Result<Written, WriteError> {
        let resource = self.resources.by_path(name).unwrap();
        let table = self.resources.table_of(resource);
        let (key, body) = ([Value::Integer(1)], format!("{{\"n\":{n}}}"));
        let changes = Changes::update(resource, table, &key, body.as_bytes(), None).unwrap();
        self.database
            .write(WritePlan::update(
                &self.resources,
                resource,
                &key,
                &changes,
                Precondition::None,
            ))
            .await
    }

    async fn delete(&self, name: &str) -> Result<Written, WriteError> {
        let resource = self.resources.by_path(name).unwrap();
        let key = [Value::Integer(1)];
        let plan = WritePlan::delete(&self.resources, resource, &key, Precondition::None);
        self.database.write(plan).await
    }

    /// The tables whose stamps differ from those of `before`.
    fn changed(&self, before: &HashMap<String, Stamp>) -> Vec<String> {
        let mut changed: Vec<_> = self
            .stamps()
            .into_iter()
            .filter(|(name, stamp)| before[name] != *stamp)
            .map(|(name, _)| name)
            .collect();
        changed.sort();
        changed
    }
}

#[test]
fn a_commit_of_another_process_changes_every_stamp() {
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let shop = Shop::open(access);
        let first = shop.stamps();
        assert_eq!(shop.stamps(), first, "nothing happened");
        let other = shop.file.connect();
        other
            .execute_batch("BEGIN; UPDATE alone SET n = 1; ROLLBACK")
            .unwrap();
        assert_eq!(shop.stamps(), first, "nothing was committed");
        other.execute_batch("UPDATE alone SET n = 1").unwrap();
        assert_eq!(shop.changed(&first).len(), first.len(), "{access:?}");
        let second = shop.stamps();
        assert_eq!(shop.stamps(), second);
        other.execute_batch("UPDATE alone SET n = 2").unwrap();
        assert_eq!(shop.changed(&second).len(), first.len());
    }
}

#[tokio::test]
async fn an_own_write_changes_the_tables_it_touches_and_no_other() {
    let shop = Shop::open(Access::ReadWrite);
    let before = shop.stamps();
    shop.set("alone", 5).await.unwrap();
    assert_eq!(
        shop.changed(&before),
        ["alone", "seen"],
        "a view may read any table"
    );

    let before = shop.stamps();
    shop.set("logged", 5).await.unwrap();
    assert_eq!(
        shop.changed(&before),
        ["log", "logged", "seen"],
        "through a trigger"
    );
    let before = shop.stamps();
    shop.set("logged", 6).await.unwrap();
    assert_eq!(
        shop.changed(&before),
        ["log", "logged", "seen"],
        "the statement is compiled already"
    );

    let before = shop.stamps();
    shop.set("parent", 5).await.unwrap();
    assert_eq!(
        shop.changed(&before),
        ["parent", "seen"],
        "the key stays: nothing cascades"
    );
    let before = shop.stamps();
    let written = shop.delete("parent").await.unwrap();
    assert_eq!(
        shop.changed(&before),
        ["child", "parent", "seen", "strict_child"],
        "through foreign keys"
    );
    assert!(
        written.touched.contains(shop.table("child"))
            && !written.touched.contains(shop.table("alone"))
    );
}

#[tokio::test]
async fn a_write_that_fails_changes_no_stamp() {
    let shop = Shop::open(Access::ReadWrite);
    shop.set("alone", 1).await.unwrap();
    let before = shop.stamps();
    assert!(matches!(
        shop.set("parent", -1).await,
        Err(WriteError::Constraint(_))
    ));
    assert_eq!(shop.changed(&before), [""; 0]);
    shop.set("alone", 2).await.unwrap();
    assert_eq!(shop.changed(&before), ["alone", "seen"]);
}

#[tokio::test]
async fn another_process_is_seen_right_beside_an_own_write() {
    let shop = Shop::open(Access::ReadWrite);
    let other = shop.file.connect();
    for n in 0..20 {
        let before = shop.stamp("parent");
        if n % 2 == 0 {
            other.execute_batch("UPDATE parent SET n = n + 1").unwrap();
            shop.set("alone", n).await.unwrap();
        } else {
            shop.set("alone", n).await.unwrap();
            other.execute_batch("UPDATE parent SET n = n + 1").unwrap();
        }
        assert_ne!(shop.stamp("parent"), before, "round {n}");
    }
    let before = shop.stamp("parent");
    shop.set("alone", 99).await.unwrap();
    assert_eq!(shop.stamp("parent"), before, "and only then");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stamp_taken_at_any_moment_of_another_tables_write_is_the_same() {
    let shop = Arc::new(Shop::open(Access::ReadWrite));
    let expected = shop.stamp("parent");
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (shop, done) = (Arc::clone(&shop), Arc::clone(&done));
        std::thread::spawn(move || {
            let tables = [shop.table("parent")];
            while !done.load(Ordering::Relaxed) {
                // There may be none for a moment, never another one.
                let stamp = shop.database.stamp(&tables);
                assert!(stamp.is_none_or(|stamp| stamp == expected));
            }
        })
    };
    for n in 0..300 {
        shop.set("alone", n).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    assert_eq!(shop.stamp("parent"), expected);
}

#[tokio::test]
async fn another_start_has_other_stamps() {
    let shop = Shop::open(Access::ReadOnly);
    let again = Database::open(&SqliteOptions::new(shop.file.path())).unwrap();
    assert_ne!(
        again.stamp(&[shop.table("alone")]),
        Some(shop.stamp("alone"))
    );
}

#[tokio::test]
async fn a_row_changed_while_nobody_watched_has_another_version() {
    let file = File::new(SCHEMA);
    let version = async || {
        let options = SqliteOptions::new(file.path()).row_version_key([7; 32]);
        let database = Database::open(&options).unwrap();
        let table = database.catalog().find("alone").unwrap();
        let statement = sql(&format!(
            "SELECT {} FROM alone AS t",
            row_version_sql(table, "t")
        ));
        database.value(statement).await.unwrap().unwrap()
    };
    let before = version().await;
    assert_eq!(version().await, before, "the same key, the same row");
    file.connect()
        .execute_batch("UPDATE alone SET n = 8")
        .unwrap();
    assert_ne!(version().await, before);
}

#[tokio::test]
async fn a_ticket_is_void_once_its_tables_change() {
    let shop = Shop::open(Access::ReadWrite);
    let tables = [shop.table("parent")];
    let ticket = shop.database.begin_read(&tables);
    shop.set("alone", 1).await.unwrap();
    assert!(ticket.still_valid(), "another table");
    shop.set("parent", 1).await.unwrap();
    assert!(!ticket.still_valid());
    let ticket = shop.database.begin_read(&tables);
    shop.file
        .connect()
        .execute_batch("UPDATE alone SET n = 7")
        .unwrap();
    assert!(
        !ticket.still_valid(),
        "another process: it might have been any table"
    );
}

#[tokio::test]
async fn totals_are_counted_once_for_each_state() {
    let shop = Shop::open(Access::ReadWrite);
    let tables = [shop.table("parent")];
    let count = sql("SELECT count(*) FROM parent");
    let total = async || {
        shop.database
            .total(&count, shop.database.stamp(&tables))
            .await
            .unwrap()
    };
    assert_eq!(total().await, 2);
    let before = shop.database.counts();
    assert_eq!(total().await, 2);
    assert_eq!(shop.database.counts(), before, "no statement, no row");
    shop.delete("parent").await.unwrap();
    assert_eq!(total().await, 1);
}

/// Writers of this process and another one, readers beside them: what is stored under a stamp is
/// always what the tables held at that stamp.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_answer_is_stored_under_a_stamp_it_does_not_belong_to() {
    let shop = Arc::new(Shop::open(Access::ReadWrite));
    let done = Arc::new(AtomicBool::new(false));
    let (own_wrote, turns) = std::sync::mpsc::channel();
    let writers = [("alone", 1_i64), ("parent", 1_000_000)].map(|(name, base)| {
        let (shop, own_wrote) = (Arc::clone(&shop), own_wrote.clone());
        tokio::spawn(async move {
            for n in 0..150 {
                shop.set(name, base + n).await.unwrap();
                own_wrote.send(()).unwrap();
            }
        })
    });
    drop(own_wrote);
    // It writes beside the next own write, and not without end: SQLite's lock is not a fair one.
    let connection = shop.file.connect();
    let foreign =
        std::thread::spawn(move || turns.iter().for_each(|()| foreign_write(&connection)));
    let readers: Vec<_> = ["alone", "parent", "alone"]
        .into_iter()
        .map(|name| tokio::spawn(store(Arc::clone(&shop), Arc::clone(&done), name)))
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    foreign.join().unwrap();
    let mut stored = HashMap::new();
    for reader in readers {
        for (key, answer) in reader.await.unwrap() {
            let first = stored.entry(key).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "one stamp, two answers");
        }
    }
    assert!(stored.len() > 2, "several states were stored");
}

fn foreign_write(connection: &Connection) {
    let write = "UPDATE alone SET n = -n - 1; UPDATE parent SET n = n + 1";
    connection.execute_batch(write).unwrap();
}

/// Reads and keeps what a valid ticket allows to keep.
async fn store(
    shop: Arc<Shop>,
    done: Arc<AtomicBool>,
    name: &'static str,
) -> Vec<((&'static str, Stamp), Option<Value>)> {
    let tables = [shop.table(name)];
    let statement = sql(&format!("SELECT group_concat(n) FROM {name}"));
    let mut stored = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let ticket = shop.database.begin_read(&tables);
        let statement = statement.clone();
        let answer = shop.database.value(statement).await.unwrap();
        if ticket.still_valid() {
            stored.push(((name, ticket.stamp().unwrap()), answer));
        }
    }
    stored
}
