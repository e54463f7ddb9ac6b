//! Writes on a real server: what is stored, and what each refusal is.

use std::time::Duration;

use paceline_data::plan::OnePlan;
use paceline_data::query::{Dialect, parse_one};
use paceline_data::resource::{ResourceSpec, Resources, WriteVerb};
use paceline_data::write::{
    ChangeKind, Changes, ConstraintKind, Precondition, WriteError, WritePlan, Written,
};
use paceline_data::{RunError, Value};

use super::Served;

const SCHEMA: &str = r#"
    CREATE TABLE maker(id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL UNIQUE);
    CREATE TABLE item(
        id bigint AUTO_INCREMENT PRIMARY KEY, maker_id bigint, name varchar(20) NOT NULL,
        stock int NOT NULL DEFAULT 0, price decimal(12,2), feels enum('sad', 'ok'),
        extra json, hidden varchar(20) DEFAULT 'kept', day date, code uuid, small smallint, at timestamp(6) NULL, body blob,
        big bigint unsigned, span time, place point, seen bool,
        CONSTRAINT one_name UNIQUE (maker_id, name), CONSTRAINT stock_not_negative CHECK (stock >= 0),
        CONSTRAINT long_name CHECK (char_length(name) > 1), CONSTRAINT not_kept CHECK (hidden <> name),
        FOREIGN KEY (maker_id) REFERENCES maker(id));
    CREATE TABLE seat(hall varchar(20) NOT NULL, number int NOT NULL, guest text, PRIMARY KEY (hall, number));
    CREATE TABLE made(code uuid DEFAULT uuid() PRIMARY KEY, n int);
    CREATE TABLE loud(id int PRIMARY KEY, n int);
    CREATE TRIGGER shout BEFORE UPDATE ON loud FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the secret rule';
    INSERT INTO maker VALUES (1, 'Ada'), (2, 'Bob');
    INSERT INTO item(id, maker_id, name, stock, extra) VALUES
        (1, 1, 'lamp', 5, '{"a":1,"b":{"c":2},"n": 12345678901234567890.10}'), (2, 1, 'desk', 1, NULL);
    INSERT INTO seat VALUES ('North', 7, 'Eve'); INSERT INTO loud VALUES (1, 1);"#;

struct Shop(Served);

impl Shop {
    async fn open() -> Self {
        let mut served = Served::open_with(SCHEMA, |options| options.writable(true)).await;
        let specs = served.database.catalog().tables().iter().map(|table| {
            let mut spec = ResourceSpec::new(&table.name);
            let every = [
                WriteVerb::Create,
                WriteVerb::Update,
                WriteVerb::Replace,
                WriteVerb::Delete,
            ];
            spec.write = every.to_vec();
            if table.column("hidden").is_some() {
                spec.hidden = vec!["hidden".to_owned()];
            }
            spec
        });
        served.resources = Resources::build(served.database.catalog(), specs.collect()).unwrap();
        Self(served)
    }

    fn plan(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
        precondition: Precondition,
    ) -> WritePlan {
        let resources = &self.0.resources;
        let resource = resources.by_path(name).unwrap();
        let table = resources.table_of(resource);
        let body = body.as_bytes();
        match verb {
            "POST" => {
                let changes = Changes::create(resource, table, body, None).unwrap();
                WritePlan::create(resources, resource, &changes)
            }
            "PATCH" => {
                let changes = Changes::update(resource, table, key, body, None).unwrap();
                WritePlan::update(resources, resource, key, &changes, precondition)
            }
            "PUT" => {
                let changes = Changes::replace(resource, table, key, body, None).unwrap();
                WritePlan::replace(resources, resource, key, &changes, precondition)
            }
            _ => WritePlan::delete(resources, resource, key, precondition),
        }
    }

    async fn write(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
    ) -> Result<(Written, String), WriteError> {
        self.write_if(verb, name, key, body, Precondition::None)
            .await
    }

    /// Writes, and reads the row back.
    async fn write_if(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
        precondition: Precondition,
    ) -> Result<(Written, String), WriteError> {
        let plan = self.plan(verb, name, key, body, precondition);
        let resources = &self.0.resources;
        let resource = resources.by_path(name).unwrap();
        let query = parse_one(resources, resource, Dialect::Plain, "").unwrap();
        let read_back = OnePlan::read_back(resources, &query);
        let (written, row) = self
            .0
            .database
            .write_and_read(plan, Some(read_back))
            .await?;
        let row = row.map(|row| String::from_utf8(row.bytes).unwrap());
        Ok((written, row.unwrap_or_default()))
    }

    async fn version(&self, name: &str, key: &[Value]) -> String {
        let resources = &self.0.resources;
        let resource = resources.by_path(name).unwrap();
        let query = parse_one(resources, resource, Dialect::Plain, "").unwrap();
        let plan = OnePlan::new(resources, &query, key);
        let row = self
            .0
            .database
            .run(plan.statement.clone(), plan.encoder())
            .await
            .unwrap();
        row.encoder.version().unwrap().to_owned()
    }
}

fn id(id: i64) -> [Value; 1] {
    [Value::Integer(id)]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verb_does_what_it_says() {
    let shop = Shop::open().await;
    let body = r#"{"name":"sofa","maker_id":2,"price":1234567890.10,"feels":"ok","extra":{"z": 1},
        "day":"2026-02-28","code":"123e4567-e89b-12d3-a456-426614174000","small":-32768,
        "at":"2026-01-31T12:00:00.5+02:00","body":"AP8Q","big":18446744073709551615,"span":"12:30","seen":true}"#;
    let (made, row) = shop.write("POST", "item", &[], body).await.unwrap();
    assert_eq!(
        (made.change.kind, made.change.key.as_slice()),
        (ChangeKind::Created, &id(3)[..])
    );
    let expected = concat!(
        r#"{"id":3,"maker_id":2,"name":"sofa","stock":0,"price":1234567890.10,"feels":"ok","extra":{"z": 1},"#,
        r#""day":"2026-02-28","code":"123e4567-e89b-12d3-a456-426614174000","small":-32768,"#,
        r#""at":"2026-01-31T10:00:00.5Z","body":"AP8Q","big":18446744073709551615,"span":"12:30:00","place":null,"seen":true}"#
    );
    assert_eq!(row, expected);
    assert_eq!(
        made.row_version.unwrap(),
        shop.version("item", &id(3)).await
    );
    let (made, _) = shop.write("POST", "made", &[], "{}").await.unwrap();
    assert!(matches!(&made.change.key[..], [Value::Text(code)] if code.len() == 36));

    let (changed, row) = shop
        .write(
            "PATCH",
            "item",
            &id(1),
            r#"{"stock":6,"extra":{"b":{"c":null,"d":3},"m":1}}"#,
        )
        .await
        .unwrap();
    assert_eq!(changed.change.kind, ChangeKind::Updated);
    let merged = r#""extra":{"a":1,"b":{"d":3},"n":12345678901234567890.10,"m":1}"#;
    assert!(row.contains(merged), "{row}");
    assert!(row.contains(r#""stock":6"#), "{row}");
    let (again, _) = shop
        .write("PATCH", "item", &id(1), r#"{"stock":6}"#)
        .await
        .unwrap();
    assert_eq!(
        again.row_version, changed.row_version,
        "equal rows, equal versions"
    );
    let (same, _) = shop.write("PATCH", "item", &id(1), "{}").await.unwrap();
    assert_eq!(same.change.kind, ChangeKind::Unchanged);
    assert_eq!(same.row_version, changed.row_version);

    let whole = r#"{"maker_id":null,"name":"rug","stock":1,"price":null,"feels":null,"extra":null,"day":null,"code":null,"small":null,"at":null,"body":null,"big":null,"span":null,"seen":null}"#;
    let (put, _) = shop.write("PUT", "item", &id(2), whole).await.unwrap();
    assert_eq!(put.change.kind, ChangeKind::Updated);
    let (put, _) = shop.write("PUT", "item", &id(50), whole).await.unwrap();
    assert_eq!(put.change.kind, ChangeKind::Created);
    assert_eq!(shop.0.sql("SELECT hidden FROM item WHERE id = 2"), "kept");

    let seat = [Value::Text("north".to_owned()), Value::Integer(7)];
    let (moved, _) = shop
        .write("PATCH", "seat", &seat, r#"{"guest":"Ann"}"#)
        .await
        .unwrap();
    let stored = [Value::Text("North".to_owned()), Value::Integer(7)];
    assert_eq!(moved.change.key, stored, "the key as it is stored");
    let (gone, row) = shop.write("DELETE", "seat", &seat, "").await.unwrap();
    assert_eq!(
        (gone.change.kind, gone.row_version, row.as_str()),
        (ChangeKind::Deleted, None, "")
    );
    assert_eq!(gone.change.key, stored, "the key as it was stored");
    let absent = shop.write("DELETE", "seat", &seat, "").await.unwrap_err();
    assert!(matches!(absent, WriteError::NotFound));
    assert_eq!(shop.0.database.pool().unwrap().occupancy.in_use, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn preconditions_are_part_of_the_statement() {
    let shop = Shop::open().await;
    let first = shop.version("item", &id(1)).await;
    let with = |version: &str| Precondition::IfMatch(vec!["x".to_owned(), version.to_owned()]);
    shop.write("PATCH", "item", &id(2), r#"{"stock":9}"#)
        .await
        .unwrap();
    let body = r#"{"stock":6}"#;
    let (written, _) = shop
        .write_if("PATCH", "item", &id(1), body, with(&first))
        .await
        .unwrap();
    let second = written.row_version.unwrap();
    assert_ne!(first, second);
    for (verb, precondition, key) in [
        ("PATCH", with(&first), 1),
        ("DELETE", with(&first), 1),
        ("DELETE", Precondition::IfNoneMatchAny, 1),
    ] {
        let error = shop
            .write_if(verb, "item", &id(key), body, precondition)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, WriteError::PreconditionFailed { current: Some(now) } if *now == second),
            "{error:?}"
        );
    }
    let error = shop
        .write_if("PATCH", "item", &id(9), body, with(&first))
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::NotFound));
    assert_eq!(shop.0.sql("SELECT stock FROM item WHERE id = 1"), "6");

    // Of many writers with one tag one wins.
    let writers = (0..8).map(|n| {
        let plan = shop.plan(
            "PATCH",
            "item",
            &id(1),
            &format!("{{\"stock\":{n}}}"),
            with(&second),
        );
        let database = shop.0.database.clone();
        tokio::spawn(async move { database.write(plan).await })
    });
    let mut won = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert!(
                matches!(error, WriteError::PreconditionFailed { .. }),
                "{error:?}"
            ),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_are_told_by_field_and_without_sql() {
    use ConstraintKind::{Check, ForeignKey, Trigger, Type, Unique};
    let shop = Shop::open().await;
    let check = async |verb: &str,
                       name: &str,
                       key: i64,
                       body: &str,
                       kind: ConstraintKind,
                       fields: &[&str],
                       rule: Option<&str>| {
        let error = shop.write(verb, name, &id(key), body).await.unwrap_err();
        let WriteError::Constraint(constraint) = error else {
            panic!("{body}: {error:?}")
        };
        assert_eq!(constraint.kind, kind, "{body}");
        assert_eq!(constraint.fields, fields, "{body}");
        assert_eq!(constraint.name.as_deref(), rule, "{body}");
        assert!(!constraint.to_string().contains("secret rule"));
    };
    check(
        "POST",
        "item",
        0,
        r#"{"name":"lamp","maker_id":1}"#,
        Unique,
        &["maker_id", "name"],
        None,
    )
    .await;
    check(
        "POST",
        "maker",
        0,
        r#"{"id":1,"name":"New"}"#,
        Unique,
        &["id"],
        None,
    )
    .await;
    check(
        "PATCH",
        "item",
        1,
        r#"{"maker_id":77}"#,
        ForeignKey,
        &["maker_id"],
        None,
    )
    .await;
    check("DELETE", "maker", 1, "", ForeignKey, &[], None).await;
    check(
        "PATCH",
        "item",
        1,
        r#"{"stock":-1}"#,
        Check,
        &["stock"],
        Some("stock_not_negative"),
    )
    .await;
    check(
        "PATCH",
        "item",
        1,
        r#"{"name":"x"}"#,
        Check,
        &["name"],
        Some("long_name"),
    )
    .await;
    // A rule that is about a hidden column too is not told by its name.
    check(
        "PATCH",
        "item",
        1,
        r#"{"name":"kept"}"#,
        Check,
        &["name"],
        None,
    )
    .await;
    check(
        "PATCH",
        "item",
        1,
        r#"{"price":99999999999999}"#,
        Type,
        &["price"],
        None,
    )
    .await;
    check("PATCH", "loud", 1, r#"{"n":2}"#, Trigger, &[], None).await;
    assert_eq!(shop.0.sql("SELECT count(*) FROM item WHERE stock < 0"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_created_only_where_there_is_none() {
    let shop = Shop::open().await;
    let body = r#"{"guest":"Ann"}"#;
    let seat = |number| [Value::Text("north".to_owned()), Value::Integer(number)];
    let absent = Precondition::IfNoneMatchAny;
    let error = shop
        .write_if("PUT", "seat", &seat(7), body, absent.clone())
        .await
        .unwrap_err();
    let failed = matches!(error, WriteError::PreconditionFailed { current: Some(_) });
    assert!(failed, "{error:?}");
    let (made, _) = shop
        .write_if("PUT", "seat", &seat(8), body, absent.clone())
        .await
        .unwrap();
    assert_eq!(made.change.kind, ChangeKind::Created);
    // Another row has a name that is to be the only one.
    let body = r#"{"name":"Ada"}"#;
    let error = shop.write_if("PUT", "maker", &id(9), body, absent).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, WriteError::Constraint(rule) if rule.fields == ["name"]),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_replaced_or_created_and_no_other_is_touched() {
    let shop = Shop::open().await;
    let put = async |name: &str, key: &[Value], body: &str| {
        let written = shop.write("PUT", name, key, body).await;
        written.map(|(written, _)| written.change)
    };
    // A key of two columns, spelled in another way than the row there has it.
    let seat = |number| [Value::Text("north".to_owned()), Value::Integer(number)];
    for (number, expected, hall) in [
        (7, ChangeKind::Updated, "North"),
        (7, ChangeKind::Updated, "North"),
        (8, ChangeKind::Created, "north"),
        (8, ChangeKind::Updated, "north"),
    ] {
        let change = put("seat", &seat(number), r#"{"guest":"Ann"}"#).await;
        let change = change.unwrap();
        assert_eq!(change.kind, expected, "{number}");
        assert_eq!(
            change.key[0],
            Value::Text(hall.to_owned()),
            "as it is stored"
        );
    }
    // Another row has the name, whether the one addressed is there or not, and a trigger tells of each change.
    shop.0.sql(
        "CREATE TABLE heard(id bigint) ENGINE = MyISAM;
         CREATE TRIGGER hear BEFORE UPDATE ON maker FOR EACH ROW INSERT INTO heard VALUES (OLD.id)",
    );
    for key in [2, 77] {
        let error = put("maker", &id(key), r#"{"name":"Ada"}"#).await;
        let error = error.unwrap_err();
        assert!(
            matches!(&error, WriteError::Constraint(rule) if rule.fields == ["name"] && rule.is_conflict()),
            "{key}: {error:?}"
        );
    }
    let change = put("maker", &id(2), r#"{"name":"Bea"}"#).await.unwrap();
    assert_eq!(change.kind, ChangeKind::Updated);
    // The two times that the row itself was met are heard of, and the other row never was.
    assert_eq!(shop.0.sql("SELECT group_concat(id) FROM heard"), "2,2");
    let rows = "SELECT group_concat(id, name ORDER BY id) FROM maker";
    assert_eq!(shop.0.sql(rows), "1Ada,2Bea");
    // A trigger that refuses changes refuses those too, and not new rows.
    let error = put("loud", &id(1), r#"{"n":2}"#).await.unwrap_err();
    assert!(matches!(error, WriteError::Constraint(_)), "{error:?}");
    let change = put("loud", &id(2), r#"{"n":2}"#).await.unwrap();
    assert_eq!(change.kind, ChangeKind::Created);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_column_cannot_hold_is_told_by_field_before_the_write() {
    let shop = Shop::open().await;
    let resource = shop.0.resources.by_path("item").unwrap();
    let table = shop.0.resources.table_of(resource);
    for (body, words) in [
        (r#"{"small":40000}"#, "between -32768 and 32767"),
        (r#"{"feels":"angry"}"#, "one of sad, ok"),
        (r#"{"name":"a\u0000b"}"#, "character zero"),
        (r#"{"day":"2026-02-30"}"#, "a date"),
        (r#"{"day":5}"#, "not a number"),
        (r#"{"code":"7"}"#, "a UUID"),
        (r#"{"place":{}}"#, "leave it out"),
        (r#"{"big":18446744073709551616}"#, "OutOfRange"),
        (
            r#"{"name":"a name that is much too long"}"#,
            "at most 20 characters",
        ),
        (r#"{"hidden":"x"}"#, "no field"),
    ] {
        let error = Changes::update(resource, table, &id(1), body.as_bytes(), None).unwrap_err();
        let told = format!("{error:?}");
        assert!(told.contains(words), "{body}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_out_of_time_is_undone_and_a_failed_reading_too() {
    let short = |options: paceline_data::mysql::MySqlOptions| {
        options
            .writable(true)
            .query_timeout(Duration::from_millis(300))
    };
    let served = Served::open_with(
        "CREATE TABLE t(id int PRIMARY KEY, n int);
         CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW SET @rest = IF(NEW.n = 13, SLEEP(60), 0);",
        short,
    )
    .await;
    let mut spec = ResourceSpec::new("t");
    spec.write = vec![WriteVerb::Create];
    let resources = Resources::build(served.database.catalog(), vec![spec]).unwrap();
    let resource = resources.by_path("t").unwrap();
    let plan = |n: i32| {
        let body = format!("{{\"id\":{n},\"n\":{n}}}");
        let changes = Changes::create(
            resource,
            resources.table_of(resource),
            body.as_bytes(),
            None,
        )
        .unwrap();
        WritePlan::create(&resources, resource, &changes)
    };
    let error = served.database.write(plan(13)).await.unwrap_err();
    assert!(matches!(error, WriteError::Run(error) if RunError::is_timeout(&error)));
    served.database.write(plan(14)).await.unwrap();
    let panics = paceline_data::write::ReadBack {
        sql: "SELECT n FROM t WHERE id = ?1".into(),
        values: Vec::new(),
        encoder: crate::files::Broken,
    };
    assert!(
        served
            .database
            .write_and_read(plan(15), Some(panics))
            .await
            .is_err()
    );
    let refused = paceline_data::write::ReadBack {
        sql: "SELECT nothing".into(),
        values: Vec::new(),
        encoder: crate::files::FirstColumn,
    };
    assert!(
        served
            .database
            .write_and_read(plan(16), Some(refused))
            .await
            .is_err()
    );
    assert_eq!(served.sql("SELECT group_concat(id) FROM t"), "14");
}
