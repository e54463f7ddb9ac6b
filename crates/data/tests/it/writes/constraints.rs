//! Rules of the schema that a write breaks.

use paceline_data::write::ConstraintKind::{self, Check, ForeignKey, NotNull, Trigger, Unique};
use paceline_data::write::{Constraint, WriteError};

use super::{Shop, id};

async fn broken(shop: &Shop, verb: &str, name: &str, key: i64, body: &str) -> Constraint {
    let error = shop.write(verb, name, &id(key), body).await.unwrap_err();
    let text = error.to_string();
    assert!(
        !text.contains("length(") && !text.contains("constraint failed"),
        "no SQL: {text}"
    );
    match error {
        WriteError::Constraint(constraint) => constraint,
        other => panic!("{verb} {name} {body}: {other:?}"),
    }
}

#[tokio::test]
async fn broken_rules_are_named_without_sql() {
    type Case = (
        &'static str,
        &'static str,
        i64,
        &'static str,
        ConstraintKind,
        &'static [&'static str],
    );
    let cases: [Case; 9] = [
        ("POST", "maker", 0, r#"{"name":"Ada"}"#, Unique, &["name"]),
        (
            "POST",
            "maker",
            0,
            r#"{"id":1,"name":"Zoe"}"#,
            Unique,
            &["id"],
        ),
        (
            "POST",
            "item",
            0,
            r#"{"maker_id":1,"name":"lamp"}"#,
            Unique,
            &["maker_id", "name"],
        ),
        (
            "PATCH",
            "item",
            2,
            r#"{"name":"lamp"}"#,
            Unique,
            &["maker_id", "name"],
        ),
        (
            "POST",
            "item",
            0,
            r#"{"maker_id":9,"name":"shelf"}"#,
            ForeignKey,
            &["maker_id"],
        ),
        ("DELETE", "maker", 1, "", ForeignKey, &[]),
        ("PATCH", "item", 1, r#"{"stock":-1}"#, Check, &[]),
        ("PATCH", "item", 1, r#"{"name":"x"}"#, Check, &["name"]),
        ("PATCH", "sealed", 1, r#"{"n":2}"#, Trigger, &[]),
    ];
    let shop = Shop::open();
    for (verb, name, key, body, kind, fields) in cases {
        let constraint = broken(&shop, verb, name, key, body).await;
        assert_eq!(constraint.kind, kind, "{verb} {body}");
        assert_eq!(constraint.fields, fields, "{verb} {body}");
    }
    assert_eq!(
        shop.read("group_concat(name ORDER BY id) FROM item"),
        "lamp,desk"
    );
}

#[tokio::test]
async fn only_a_rule_with_a_name_is_named() {
    let shop = Shop::open();
    let check = async |body: &str, expected: Option<&str>| {
        let constraint = broken(&shop, "PATCH", "item", 1, body).await;
        assert_eq!(constraint.name.as_deref(), expected, "{body}");
        assert!(!constraint.is_conflict(), "the values themselves are wrong");
    };
    check(r#"{"stock":-1}"#, Some("stock_not_negative")).await;
    check(r#"{"name":"x"}"#, None).await;
}

#[tokio::test]
async fn a_hidden_column_is_not_named() {
    let schema =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT NOT NULL, hidden TEXT NOT NULL) STRICT";
    let constraint = broken(&Shop::with(schema), "POST", "t", 0, r#"{"n":1}"#).await;
    assert_eq!((constraint.kind, constraint.fields.len()), (NotNull, 0));
    assert!(!constraint.to_string().contains("hidden"));
}
