//! Every shape a value can have, pruned.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::json;

use super::super::grammar::{FieldNode, parse_fields};
use super::*;

/// The selection `text` spells, whatever it is of.
fn selection(text: &str) -> Selection {
    fn add(nodes: &[FieldNode], selection: &mut Selection) {
        for node in nodes {
            match node.children.as_slice() {
                [] => selection.add_whole(&node.name),
                children => add(children, selection.beneath(&node.name).unwrap()),
            }
        }
    }
    let mut found = Selection::default();
    if !text.is_empty() {
        add(&parse_fields(text).unwrap(), &mut found);
    }
    found
}

#[track_caller]
fn check(value: &impl Serialize, fields: &str, expected: &str) {
    let selection = &selection(fields);
    let found = serde_json::to_string(&Pruned { selection, value }).unwrap();
    assert_eq!(found, expected, "{fields}");
}

#[derive(Serialize)]
struct Author {
    id: u64,
    name: &'static str,
    email: Option<&'static str>,
}

#[derive(Serialize)]
struct Stamps {
    created: u64,
    changed: u64,
}

#[derive(Serialize)]
struct Post {
    id: u64,
    title: &'static str,
    author: Option<Author>,
    comments: Vec<Author>,
    #[serde(flatten)]
    stamps: Stamps,
    #[serde(flatten)]
    more: BTreeMap<&'static str, u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<u8>,
    labels: BTreeMap<&'static str, Author>,
}

fn author(id: u64) -> Author {
    Author {
        id,
        name: "Åsa \"A\"",
        email: None,
    }
}

fn post() -> Post {
    Post {
        id: 1,
        title: "T",
        author: Some(author(7)),
        comments: vec![author(8), author(9)],
        stamps: Stamps {
            created: 10,
            changed: 11,
        },
        more: [("extra", 1), ("other", 2)].into(),
        note: None,
        labels: [("a", author(1)), ("b", author(2))].into(),
    }
}

#[test]
fn structs_options_arrays_maps_and_flattened_ones_are_pruned() {
    check(&post(), "title,id", r#"{"id":1,"title":"T"}"#);
    check(&post(), "author.name", r#"{"author":{"name":"Åsa \"A\""}}"#);
    check(
        &post(),
        "author(id,email)",
        r#"{"author":{"id":7,"email":null}}"#,
    );
    check(
        &post(),
        "comments.id",
        r#"{"comments":[{"id":8},{"id":9}]}"#,
    );
    check(&post(), "created,extra", r#"{"created":10,"extra":1}"#);
    check(&post(), "labels.b.id", r#"{"labels":{"b":{"id":2}}}"#);
    check(&post(), "note", "{}");
    check(&post(), "", "{}");
    check(&vec![post(), post()], "id", r#"[{"id":1},{"id":1}]"#);
    check(
        &Some((author(1), [author(2)])),
        "id",
        r#"[{"id":1},[{"id":2}]]"#,
    );
    check(&None::<Post>, "id", "null");
}

#[test]
fn what_has_no_fields_is_left_as_it_is() {
    check(&"text", "id", "\"text\"");
    check(&1.5, "id", "1.5");
    check(&(), "id", "null");
    check(&[1, 2], "id", "[1,2]");
    check(&std::net::Ipv4Addr::LOCALHOST, "id", "\"127.0.0.1\"");
}

#[test]
fn a_field_that_is_whole_is_not_looked_into() {
    #[derive(Serialize)]
    struct Outer {
        inner: Author,
    }
    check(
        &Outer { inner: author(1) },
        "inner",
        r#"{"inner":{"id":1,"name":"Åsa \"A\"","email":null}}"#,
    );
}

#[test]
fn keys_are_matched_as_they_are_written() {
    #[derive(Serialize, PartialEq, Eq, Hash)]
    enum Key {
        First,
    }
    #[derive(Serialize, PartialEq, Eq, Hash)]
    struct Number(u8);
    check(&HashMap::from([(7_u8, 1)]), "7", r#"{"7":1}"#);
    check(&HashMap::from([(-7_i64, 1)]), "7", "{}");
    check(&HashMap::from([(Key::First, 1)]), "First", r#"{"First":1}"#);
    check(&HashMap::from([(Number(3), 1)]), "3", r#"{"3":1}"#);
    check(&HashMap::from([('é', 1)]), "é", r#"{"é":1}"#);
    check(&HashMap::from([(true, 1)]), "true", r#"{"true":1}"#);
    let selection = &selection("a");
    let value = &HashMap::from([(vec![1], 1)]);
    assert!(serde_json::to_string(&Pruned { selection, value }).is_err());
}

#[derive(Serialize)]
enum Event {
    Plain,
    One(Author),
    Two(Author, Author),
    Named { by: Author, at: u8 },
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Tagged {
    Wrote { id: u8, text: &'static str },
    By(Author),
}

#[derive(Serialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    By(Author),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Untagged {
    By(Author),
    Number(u8),
}

#[test]
fn variants_are_objects_with_one_member_or_have_a_tag() {
    check(&Event::Plain, "One", "\"Plain\"");
    check(&Event::One(author(1)), "One.id", r#"{"One":{"id":1}}"#);
    check(&Event::One(author(1)), "Two", "{}");
    check(
        &Event::Two(author(1), author(2)),
        "Two.id",
        r#"{"Two":[{"id":1},{"id":2}]}"#,
    );
    check(&Event::Two(author(1), author(2)), "One", "{}");
    let named = || Event::Named {
        by: author(1),
        at: 5,
    };
    check(
        &named(),
        "Named",
        r#"{"Named":{"by":{"id":1,"name":"Åsa \"A\"","email":null},"at":5}}"#,
    );
    check(
        &named(),
        "Named(at,by.id)",
        r#"{"Named":{"by":{"id":1},"at":5}}"#,
    );
    check(&named(), "Plain", "{}");

    check(
        &Tagged::Wrote { id: 1, text: "x" },
        "kind,text",
        r#"{"kind":"wrote","text":"x"}"#,
    );
    check(&Tagged::By(author(3)), "kind,id", r#"{"kind":"by","id":3}"#);

    check(
        &Adjacent::By(author(3)),
        "t,c.id",
        r#"{"t":"By","c":{"id":3}}"#,
    );

    check(&Untagged::By(author(3)), "id", r#"{"id":3}"#);
    check(&Untagged::Number(3), "id", "3");
}

/// What is not selected is not even looked at.
#[test]
fn what_is_left_out_is_not_serialised() {
    struct Bomb;
    impl Serialize for Bomb {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("serialised"))
        }
    }
    #[derive(Serialize)]
    struct Armed {
        id: u8,
        bomb: Bomb,
    }
    check(&Armed { id: 1, bomb: Bomb }, "id", r#"{"id":1}"#);
    let (selection, value) = (&selection("bomb"), &Armed { id: 1, bomb: Bomb });
    assert!(serde_json::to_string(&Pruned { selection, value }).is_err());
}

/// Pruning gives what taking the tree apart would give, whatever the value.
#[test]
fn a_tree_of_values_is_pruned_alike() {
    let value = json!({"a": [{"b": 1, "c": {"d": [], "e": null}}, 2, "x"], "b": {"a": {}}});
    check(
        &value,
        "a(b,c.e)",
        r#"{"a":[{"b":1,"c":{"e":null}},2,"x"]}"#,
    );
    check(&value, "b.a.x", r#"{"b":{"a":{}}}"#);
}
