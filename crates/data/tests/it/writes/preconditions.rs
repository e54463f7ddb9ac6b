//! `If-Match` and `If-None-Match` inside the statement.

use paceline_data::write::{ChangeKind, Precondition, WriteError};

use super::{Shop, id};

#[derive(Debug, PartialEq)]
enum Outcome {
    Created,
    Changed,
    NotFound,
    Failed,
}

#[tokio::test]
async fn preconditions_are_part_of_the_write() {
    use Outcome::{Changed, Created, Failed, NotFound};
    use Precondition::{IfMatch, IfMatchAny, IfNoneMatchAny};
    let check = async |verb: &str, key: i64, precondition: &Precondition, expected: Outcome| {
        let shop = Shop::open();
        let precondition = match precondition {
            IfMatch(tags) => {
                let current = shop.version("item", 1).await;
                IfMatch(
                    tags.iter()
                        .map(|tag| tag.replace("current", &current))
                        .collect(),
                )
            }
            other => other.clone(),
        };
        let body = r#"{"name":"new name","stock":8,"maker_id":1,"extra":null}"#;
        let before = shop.read("group_concat(name || stock) FROM item");
        let outcome = match shop
            .write_if(verb, "item", &id(key), body, precondition.clone())
            .await
        {
            Ok(written) if written.change.kind == ChangeKind::Created => Created,
            Ok(_) => Changed,
            Err(WriteError::NotFound) => NotFound,
            Err(WriteError::PreconditionFailed { current }) => {
                assert_eq!(current.is_some(), key == 1, "the current version is told");
                Failed
            }
            Err(other) => panic!("{verb} {key} {precondition:?}: {other:?}"),
        };
        assert_eq!(outcome, expected, "{verb} {key} {precondition:?}");
        let after = shop.read("group_concat(name || stock) FROM item");
        assert_eq!(
            after != before,
            matches!(expected, Created | Changed),
            "{verb} {key} {precondition:?}"
        );
    };
    let current = IfMatch(vec!["other".to_owned(), "current".to_owned()]);
    let stale = IfMatch(vec!["AAAAAAAAAAAAAAAAAAAAAA".to_owned()]);
    for verb in ["PATCH", "PUT", "DELETE"] {
        check(verb, 1, &current, Changed).await;
        check(verb, 1, &stale, Failed).await;
        check(verb, 1, &IfMatch(Vec::new()), Failed).await;
        check(verb, 1, &IfMatchAny, Changed).await;
        check(verb, 1, &IfNoneMatchAny, Failed).await;
        check(verb, 1, &Precondition::None, Changed).await;
    }
    for verb in ["PATCH", "DELETE"] {
        for precondition in [
            &current,
            &stale,
            &IfMatchAny,
            &IfNoneMatchAny,
            &Precondition::None,
        ] {
            check(verb, 99, precondition, NotFound).await;
        }
    }
    check("PUT", 99, &current, Failed).await;
    check("PUT", 99, &IfMatchAny, Failed).await;
    check("PUT", 99, &IfNoneMatchAny, Created).await;
    check("PUT", 99, &Precondition::None, Created).await;
}

#[tokio::test]
async fn another_rows_change_does_not_fail_a_precondition() {
    let shop = Shop::open();
    let version = shop.version("item", 1).await;
    shop.write("PATCH", "item", &id(2), r#"{"stock":100}"#)
        .await
        .unwrap();
    let precondition = Precondition::IfMatch(vec![version.clone()]);
    shop.write_if("PATCH", "item", &id(1), r#"{"stock":6}"#, precondition)
        .await
        .unwrap();
    let again = Precondition::IfMatch(vec![version]);
    let error = shop
        .write_if("PATCH", "item", &id(1), r#"{"stock":7}"#, again)
        .await
        .unwrap_err();
    let now = shop.version("item", 1).await;
    assert!(
        matches!(error, WriteError::PreconditionFailed { current: Some(current) } if current == now)
    );
}

#[tokio::test]
async fn of_many_writers_with_one_tag_one_wins() {
    let shop = Shop::open();
    let version = shop.version("item", 1).await;
    let writes: Vec<_> = (0..20)
        .map(|stock| {
            let precondition = Precondition::IfMatch(vec![version.clone()]);
            let plan = shop.plan(
                "PATCH",
                "item",
                &id(1),
                &format!("{{\"stock\":{}}}", 100 + stock),
                precondition,
            );
            let database = shop.database.clone();
            tokio::spawn(async move { database.write(plan).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for write in writes {
        won += usize::from(write.await.unwrap());
    }
    assert_eq!(won, 1);
}
