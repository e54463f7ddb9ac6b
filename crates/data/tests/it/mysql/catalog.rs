//! What is read of a schema.

use paceline_data::Database;
use paceline_data::catalog::ColumnKind;
use paceline_data::mysql::MySqlOptions;
use paceline_test_servers::MariaDb;

use super::Served;

const SCHEMA: &str = "
    CREATE TABLE person(
        id bigint unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, email varchar(254) NOT NULL,
        feels enum('sad', 'ok', 'happy'), boss bigint unsigned, loud varchar(40) AS (upper(name)) STORED,
        `Odd \"``name` int DEFAULT 1, secret int INVISIBLE, shape point, about json DEFAULT '{}',
        CONSTRAINT has_at CHECK (email LIKE '%@%'), FOREIGN KEY (boss) REFERENCES person(id));
    CREATE TABLE seat(hall varchar(10), number int, PRIMARY KEY (number, hall));
    CREATE TABLE ticket(code uuid PRIMARY KEY, h varchar(10), n int, price decimal(10,2), title varchar(200),
        FOREIGN KEY (n, h) REFERENCES seat(number, hall), KEY by_price (price DESC, code), KEY begins (title(10)),
        FULLTEXT KEY words (title));
    CREATE TABLE keyless(a int NOT NULL UNIQUE, b int);
    CREATE VIEW happy AS SELECT id, name FROM person WHERE feels = 'happy';
    CREATE TABLE gone(a int); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone;
    CREATE SEQUENCE counter;
    CREATE TABLE paceline_own(a int);";

#[tokio::test]
async fn reads_keys_references_and_indexes() {
    let served = Served::open(SCHEMA).await;
    let catalog = served.database.catalog();
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(names, ["happy", "keyless", "person", "seat", "ticket"]);
    let skipped: Vec<_> = catalog
        .skipped()
        .iter()
        .map(|skipped| skipped.name.as_str())
        .collect();
    assert_eq!(skipped, ["broken", "paceline_own"]);

    let person = catalog.find("person").unwrap();
    let column = |name: &str| &person.columns[person.column(name).unwrap()];
    assert!(column("id").autoincrement && column("id").optional_on_insert());
    assert!(column("loud").generated && column("Odd \"`name").has_default);
    assert!(column("shape").generated, "it is not read back");
    assert!(!column("feels").has_default && column("about").has_default);
    assert_eq!(column("about").kind, ColumnKind::Json);
    assert_eq!(column("feels").kind, ColumnKind::Enum);
    let labels = column("feels").labels.as_deref().unwrap();
    assert_eq!(labels, ["sad", "ok", "happy"]);
    assert!(!column("email").nullable);
    assert!(person.column("secret").is_none());
    assert_eq!(person.foreign_keys[0].table, "person");
    assert_eq!(person.foreign_keys[0].references, ["id"]);
    let check = person.checks.iter().find(|check| check.name == "has_at");
    assert_eq!(check.unwrap().columns, [2]);

    let seat = catalog.find("seat").unwrap();
    assert_eq!(seat.primary_key, [1, 0], "in key order");
    let ticket = catalog.find("ticket").unwrap();
    assert_eq!(ticket.foreign_keys[0].columns, [2, 1]);
    assert_eq!(ticket.foreign_keys[0].references, ["number", "hall"]);
    assert!(ticket.is_indexed(0) && ticket.is_indexed(3));
    assert!(!ticket.is_indexed(4), "a part of it, or its words");
    let by_price = ticket.indexes.iter().find(|index| index.name == "by_price");
    assert_eq!(by_price.unwrap().columns.len(), 2);

    let keyless = catalog.find("keyless").unwrap();
    assert_eq!(keyless.unique_key(), Some(vec![0]));
    let happy = catalog.find("happy").unwrap();
    assert!(happy.is_view && happy.approximate_rows.is_none());
}

#[tokio::test]
async fn only_what_the_role_may_select_is_there() {
    let server = MariaDb::shared();
    let name = server.database();
    server.sql(
        &name,
        &format!(
            "CREATE TABLE open(id int PRIMARY KEY, a text, up int, FOREIGN KEY (up) REFERENCES open(id));
             CREATE TABLE closed(id int PRIMARY KEY);
             CREATE TABLE half(id int PRIMARY KEY, seen text, unseen text);
             CREATE TABLE keyless(id int PRIMARY KEY, seen text);
             CREATE USER reader@'%' IDENTIFIED BY 'read';
             GRANT SELECT ON {name}.open TO reader@'%'; GRANT SELECT (id, seen) ON {name}.half TO reader@'%';
             GRANT SELECT (seen) ON {name}.keyless TO reader@'%';"
        ),
    );
    let address = server.url_as("reader", "read", &name);
    let options = MySqlOptions::new(address.parse().unwrap());
    let database = Database::connect_mysql(options).await.unwrap();
    let catalog = database.catalog();
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(names, ["half", "keyless", "open"]);
    let half = catalog.find("half").unwrap();
    let columns: Vec<_> = half
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(columns, ["id", "seen"]);
    assert!(half.key_is_unique());
    assert!(catalog.find("keyless").unwrap().primary_key.is_empty());
    let open = catalog.find("open").unwrap();
    assert_eq!(open.foreign_keys.len(), 1, "SELECT shows references too");
}

#[tokio::test]
async fn rows_are_estimated_from_statistics_or_counted() {
    let served = Served::open(
        "CREATE TABLE small(id int PRIMARY KEY); INSERT INTO small SELECT seq FROM seq_1_to_50;
         CREATE TABLE known(id int PRIMARY KEY); INSERT INTO known SELECT seq FROM seq_1_to_5000; ANALYZE TABLE known;",
    )
    .await;
    let rows = |name: &str| {
        let table = served.database.catalog().find(name);
        table.unwrap().approximate_rows.unwrap()
    };
    assert_eq!(rows("small"), 50);
    assert!((4_000..=6_000).contains(&rows("known")));
}
