//! What is read of a schema.

use paceline_data::Database;
use paceline_data::catalog::ColumnKind;
use paceline_data::postgres::PostgresOptions;
use paceline_test_servers::Postgres;

use super::Served;

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE DOMAIN email AS varchar(254) NOT NULL CHECK (VALUE LIKE '%@%');
    CREATE TABLE person(
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email email, feels mood,
        boss bigint REFERENCES person, loud text GENERATED ALWAYS AS (upper(name)) STORED, \"Odd \"\"name\" int DEFAULT 1);
    CREATE TABLE seat(hall varchar(10), number int, PRIMARY KEY (number, hall));
    CREATE TABLE ticket(code uuid PRIMARY KEY, h varchar(10), n int, price numeric(10,2), FOREIGN KEY (n, h) REFERENCES seat(number, hall));
    CREATE INDEX by_price ON ticket(price DESC NULLS LAST, code);
    CREATE UNIQUE INDEX few ON ticket(n) WHERE n > 0;
    CREATE INDEX lowered ON ticket(lower(h), n);
    CREATE TABLE keyless(a int NOT NULL UNIQUE, b int);
    CREATE TABLE log(at timestamptz NOT NULL, line text) PARTITION BY RANGE (at);
    CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE VIEW happy AS SELECT id, name FROM person WHERE feels = 'happy';
    CREATE MATERIALIZED VIEW stored AS SELECT id FROM person;
    CREATE TABLE paceline_own(a int);
    CREATE SCHEMA other; CREATE TABLE other.unseen(a int);";

#[tokio::test]
async fn reads_keys_references_and_indexes() {
    let served = Served::open(SCHEMA).await;
    let catalog = served.database.catalog();
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "person", "seat", "ticket", "keyless", "log", "happy", "stored"
        ]
    );
    assert_eq!(catalog.skipped()[0].name, "paceline_own");

    let person = catalog.find("person").unwrap();
    let column = |name: &str| &person.columns[person.column(name).unwrap()];
    assert!(column("id").generated && column("id").optional_on_insert());
    assert!(column("loud").generated && column("Odd \"name").has_default);
    assert_eq!(column("feels").kind, ColumnKind::Enum);
    let labels = column("feels").labels.as_deref().unwrap();
    assert_eq!(labels, ["sad", "ok", "happy"]);
    assert_eq!(column("email").kind, ColumnKind::Text);
    assert!(!column("email").nullable, "the domain forbids it");
    assert_eq!(person.foreign_keys[0].table, "person");
    assert_eq!(person.foreign_keys[0].references, ["id"]);

    let seat = catalog.find("seat").unwrap();
    assert_eq!(seat.primary_key, [1, 0], "in key order");
    let ticket = catalog.find("ticket").unwrap();
    assert_eq!(ticket.foreign_keys[0].columns, [2, 1]);
    assert_eq!(ticket.foreign_keys[0].references, ["number", "hall"]);
    assert!(ticket.is_indexed(0) && ticket.is_indexed(3));
    assert!(!ticket.is_indexed(2), "partial, or behind an expression");
    let by_price = ticket.indexes.iter().find(|index| index.name == "by_price");
    let price = &by_price.unwrap().columns[0];
    assert!(price.descending && price.nulls_last);

    let keyless = catalog.find("keyless").unwrap();
    assert_eq!(keyless.unique_key(), Some(vec![0]));
    assert!(catalog.find("happy").unwrap().is_view);
    assert!(catalog.find("stored").unwrap().approximate_rows.is_some());
}

#[tokio::test]
async fn only_what_the_role_may_select_is_there() {
    let server = Postgres::shared();
    let name = server.database();
    server.sql(
        &name,
        "CREATE TABLE open(id int PRIMARY KEY, a text); CREATE TABLE closed(id int PRIMARY KEY);
         CREATE TABLE half(id int PRIMARY KEY, seen text, unseen text);
         CREATE TABLE keyless(id int PRIMARY KEY, seen text);
         CREATE ROLE reader LOGIN PASSWORD 'read';
         GRANT SELECT ON open TO reader; GRANT SELECT (id, seen) ON half TO reader;
         GRANT SELECT (seen) ON keyless TO reader;
         CREATE SCHEMA mine; CREATE TABLE mine.own(id int PRIMARY KEY); CREATE TABLE mine.open(id int);
         GRANT USAGE ON SCHEMA mine TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA mine TO reader;
         ALTER ROLE reader SET search_path = public, mine;",
    );
    let address = format!("postgres://reader:read@127.0.0.1:{}/{name}", server.port());
    let options = PostgresOptions::new(address.parse().unwrap());
    let database = Database::connect(options).await.unwrap();
    let catalog = database.catalog();
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(names, ["open", "half", "keyless", "own"]);
    let half = catalog.find("half").unwrap();
    let columns: Vec<_> = half
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(columns, ["id", "seen"]);
    assert!(half.key_is_unique());
    assert!(catalog.find("keyless").unwrap().primary_key.is_empty());
    let skipped = catalog.skipped();
    assert_eq!(skipped[0].name, "open");
    assert!(
        skipped[0]
            .reason
            .contains("mine.open is hidden by the one in public")
    );
}

#[tokio::test]
async fn rows_are_estimated_from_statistics_or_counted() {
    let served = Served::open(
        "CREATE TABLE small(id int PRIMARY KEY); INSERT INTO small SELECT generate_series(1, 50);
         CREATE TABLE known(id int PRIMARY KEY); INSERT INTO known SELECT generate_series(1, 5000); ANALYZE known;",
    )
    .await;
    let rows = |name: &str| {
        served
            .database
            .catalog()
            .find(name)
            .unwrap()
            .approximate_rows
    };
    assert_eq!(rows("small"), Some(50));
    assert_eq!(rows("known"), Some(5000));
}
