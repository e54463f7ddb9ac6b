//! What each verb stores and answers.

use paceline_data::sqlite::SqliteOptions;
use paceline_data::write::{ChangeKind, Changes, Precondition, Touch, WriteError, WritePlan};
use paceline_data::{Database, Value};

use super::{Shop, id, read_back};
use crate::files::{Broken, FirstColumn};

#[tokio::test]
async fn each_verb_does_what_it_says() {
    let shop = Shop::open();
    let made = shop
        .write(
            "POST",
            "item",
            &[],
            r#"{"name":"sofa","maker_id":2,"extra":[1]}"#,
        )
        .await
        .unwrap();
    assert_eq!(
        (made.change.kind, made.change.key.as_slice()),
        (ChangeKind::Created, id(3).as_slice())
    );
    assert_eq!(
        made.row_version.unwrap(),
        shop.version("item", 3).await,
        "what a later read will say"
    );
    assert_eq!(
        shop.read("name, maker_id, stock, extra, hidden FROM item WHERE id = 3"),
        "sofa|2|0|[1]|kept"
    );

    let changed = shop
        .write("PATCH", "item", &id(1), r#"{"stock":9,"maker_id":null}"#)
        .await
        .unwrap();
    assert_eq!(changed.change.kind, ChangeKind::Updated);
    assert_eq!(changed.row_version.unwrap(), shop.version("item", 1).await);
    assert_eq!(
        shop.read("name, stock, maker_id IS NULL FROM item WHERE id = 1"),
        "lamp|9|1"
    );

    let whole = r#"{"name":"lamp","stock":3,"maker_id":1,"extra":null}"#;
    let replaced = shop.write("PUT", "item", &id(1), whole).await.unwrap();
    assert_eq!(replaced.change.kind, ChangeKind::Updated);
    assert_eq!(
        shop.read("stock, maker_id, extra IS NULL, hidden FROM item WHERE id = 1"),
        "3|1|1|kept"
    );
    let created = shop
        .write(
            "PUT",
            "item",
            &id(77),
            r#"{"name":"rug","stock":1,"maker_id":1,"extra":null}"#,
        )
        .await
        .unwrap();
    assert_eq!(
        (created.change.kind, created.change.key.as_slice()),
        (ChangeKind::Created, id(77).as_slice())
    );

    let gone = shop.write("DELETE", "item", &id(77), "").await.unwrap();
    assert_eq!(
        (gone.change.kind, gone.row_version),
        (ChangeKind::Deleted, None)
    );
    assert_eq!(shop.read("count(*) FROM item"), "3");

    let seat = [Value::Text("north".to_owned()), Value::Integer(7)];
    let seated = shop
        .write("PATCH", "seat", &seat, r#"{"guest":"Åsa"}"#)
        .await
        .unwrap();
    assert_eq!(seated.change.key, seat);
    assert_eq!(shop.read("guest FROM seat"), "Åsa");
}

#[tokio::test]
async fn a_patch_merges_json_and_an_empty_one_changes_nothing() {
    let shop = Shop::open();
    shop.write(
        "PATCH",
        "item",
        &id(1),
        r#"{"extra":{"b":{"c":null,"d":3},"a":null}}"#,
    )
    .await
    .unwrap();
    assert_eq!(
        shop.read("extra FROM item WHERE id = 1"),
        r#"{"b":{"d":3}}"#
    );
    shop.write("PATCH", "item", &id(2), r#"{"extra":{"x":1,"y":null}}"#)
        .await
        .unwrap();
    assert_eq!(shop.read("extra FROM item WHERE id = 2"), r#"{"x":1}"#);

    let tables = [shop.database.catalog().find("item").unwrap().id];
    let before = shop.database.stamp(&tables);
    let same = shop.write("PATCH", "item", &id(1), "{}").await.unwrap();
    assert_eq!(same.change.kind, ChangeKind::Unchanged);
    assert_eq!(same.row_version.unwrap(), shop.version("item", 1).await);
    assert_eq!(shop.database.stamp(&tables), before);
}

#[tokio::test]
async fn the_row_can_be_read_before_the_commit_and_a_failure_there_undoes_the_write() {
    let shop = Shop::open();
    let plan = shop.plan(
        "PATCH",
        "stamped",
        &id(1),
        r#"{"n":21}"#,
        Precondition::None,
    );
    let twice = read_back("SELECT twice FROM stamped WHERE id = ?1", FirstColumn);
    let (written, answer) = shop.database.write_and_read(plan, twice).await.unwrap();
    assert_eq!(
        answer.unwrap().bytes,
        b"[42,]",
        "what the trigger made of it"
    );
    assert_eq!(
        written.row_version.unwrap(),
        shop.version("stamped", 1).await
    );

    let plan = shop.plan("PATCH", "stamped", &id(1), r#"{"n":5}"#, Precondition::None);
    let refused = read_back("SELECT nothing", FirstColumn);
    assert!(shop.database.write_and_read(plan, refused).await.is_err());
    assert_eq!(shop.read("n FROM stamped"), "21");

    let plan = shop.plan("PATCH", "stamped", &id(1), r#"{"n":6}"#, Precondition::None);
    let panics = read_back("SELECT n FROM stamped WHERE id = ?1", Broken);
    let error = shop
        .database
        .write_and_read(plan, panics)
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::Run(error) if error.is_stopped()));
    shop.write("PATCH", "item", &id(1), r#"{"stock":6}"#)
        .await
        .unwrap();
    assert_eq!(
        shop.read("n FROM stamped"),
        "21",
        "the writer goes on without it"
    );
}

#[tokio::test]
async fn a_column_can_be_touched_on_every_write() {
    let shop = Shop::open();
    let resource = shop.resources.by_path("item").unwrap();
    let table = shop.resources.table_of(resource);
    let touch = Touch {
        column: 3,
        value: Value::Integer(1234),
    };
    let changes = Changes::update(
        resource,
        table,
        &id(1),
        br#"{"name":"torch"}"#,
        Some(&touch),
    )
    .unwrap();
    shop.database
        .write(WritePlan::update(
            &shop.resources,
            resource,
            &id(1),
            &changes,
            Precondition::None,
        ))
        .await
        .unwrap();
    assert_eq!(
        shop.read("name, stock FROM item WHERE id = 1"),
        "torch|1234"
    );
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_and_a_read_only_database_refuses() {
    let shop = Shop::open();
    for stock in 0..30 {
        shop.write("PATCH", "item", &id(1), &format!("{{\"stock\":{stock}}}"))
            .await
            .unwrap();
        assert_eq!(
            shop.read("stock FROM item WHERE id = 1"),
            stock.to_string(),
            "another process sees it at once"
        );
    }
    let plan = shop.plan("DELETE", "item", &id(1), "", Precondition::None);
    let reader = Database::open(&SqliteOptions::new(shop.file.path())).unwrap();
    assert!(!reader.is_writable());
    assert!(matches!(
        reader.write(plan.clone()).await,
        Err(WriteError::ReadOnly)
    ));
    shop.database.close();
    let error = shop.database.write(plan).await.unwrap_err();
    assert!(matches!(error, WriteError::Run(error) if error.is_stopped()));
}
