//! What is put into a schema, and that it goes again.

use paceline_data::postgres::versions::install::{self, InstallError};
use paceline_test_servers::Postgres;

use super::{SCHEMA, soon};

#[tokio::test(flavor = "multi_thread")]
async fn removing_leaves_the_schema_as_it_was() {
    let server = Postgres::shared();
    let name = server.database();
    server.sql(&name, SCHEMA);
    server.sql(
        &name,
        "CREATE TABLE \"Odd \"\"name\"(id int) PARTITION BY LIST (id);
         CREATE TABLE q PARTITION OF \"Odd \"\"name\" DEFAULT;
         CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER theirs AFTER INSERT ON aside EXECUTE FUNCTION theirs();",
    );
    let address = server.url(&name).parse().unwrap();
    let before = server.dump_schema(&name);
    let change = install::installing(&address, &[], soon()).await.unwrap();
    assert_eq!(change.tables().len(), 5, "{:?}", change.tables());
    assert_eq!(
        server.dump_schema(&name),
        before,
        "planning changes nothing"
    );
    install::apply(&address, &change, soon()).await.unwrap();
    assert_ne!(server.dump_schema(&name), before);
    let again = install::installing(&address, &[], soon()).await.unwrap();
    assert!(again.is_empty(), "{}", again.script());
    // What became of a trigger meanwhile is mended, and removed too.
    server.sql(&name, "ALTER TABLE aside DISABLE TRIGGER paceline_versions");
    let mending = install::installing(&address, &[], soon()).await.unwrap();
    assert_eq!(mending.tables(), ["\"public\".\"aside\""]);
    install::apply(&address, &mending, soon()).await.unwrap();
    let removal = install::removing(&address, soon()).await.unwrap();
    assert_eq!(removal.tables().len(), 5);
    install::apply(&address, &removal, soon()).await.unwrap();
    assert_eq!(server.dump_schema(&name), before);
    let nothing = install::removing(&address, soon()).await.unwrap();
    assert!(nothing.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_and_nothing_is_changed() {
    let server = Postgres::shared();
    let name = server.database();
    server.sql(&name, SCHEMA);
    let address = server.url(&name).parse().unwrap();
    let named = ["maker".to_owned(), "nope".to_owned()];
    let error = install::installing(&address, &named, soon())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, InstallError::NoTable(name) if name == "nope"),
        "{error}"
    );
    let only = install::installing(&address, &named[..1], soon())
        .await
        .unwrap();
    assert_eq!(only.tables(), ["\"public\".\"maker\""]);
    server.sql(&name, "CREATE SCHEMA paceline_versions");
    let before = server.dump_schema(&name);
    for refused in [
        install::installing(&address, &[], soon()).await,
        install::removing(&address, soon()).await,
    ] {
        assert!(matches!(refused, Err(InstallError::NotOurs)), "{refused:?}");
    }
    // Half of it fails: none of it is there.
    assert!(install::apply(&address, &only, soon()).await.is_err());
    assert_eq!(server.dump_schema(&name), before);
}
