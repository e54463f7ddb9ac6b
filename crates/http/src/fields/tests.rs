//! Queries, matched with the schema of a shop.

use std::sync::LazyLock;

use axum::response::IntoResponse;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde::Serialize;

use super::*;

struct Company;
struct Comment;

#[derive(Serialize)]
struct User {
    id: u8,
    name: &'static str,
}

#[derive(Serialize)]
struct Post {
    id: u8,
    title: &'static str,
    secret: &'static str,
    author: User,
}

macro_rules! schema {
    ($type:ty, $schema:expr) => {
        impl Selectable for $type {
            fn schema() -> &'static Schema {
                static SCHEMA: LazyLock<Schema> = LazyLock::new(|| $schema);
                &SCHEMA
            }
        }
    };
}

schema!(Company, Schema::new("company").with_fields(["id", "name"]));
schema!(
    User,
    Schema::new("user")
        .with_fields(["id", "name", "email"])
        .with_object::<Company>("company")
        .with_default(["id", "name"])
);
schema!(
    Post,
    Schema::new("post")
        .with_fields(["id", "title", "body"])
        .with_object::<User>("author")
        .with_object::<[Comment]>("comments")
        .with_map("labels")
        .with_default(["id", "title", "author"])
);
schema!(
    Comment,
    Schema::new("comment")
        .with_fields(["text"])
        .with_object::<User>("by")
        .with_object::<[Comment]>("replies")
);

#[track_caller]
fn check(query: &str, expected: &str) {
    let fields = Fields::<Post>::from_query(query).unwrap();
    assert_eq!(fields.selection().to_string(), expected, "{query}");
    let by_type = query.contains("fields[") || query.contains("fields%5B");
    assert_eq!(fields.is_enveloped(), by_type, "{query}");
}

#[test]
fn every_spelling_has_one_canonical_form() {
    check("fields=title,id,author.name", "author(name),id,title");
    check("fields=author(name),id,title,id", "author(name),id,title");
    check("page=2&fields=id&sort=-x", "id");
    check(
        "fields=author.company.name,author.id",
        "author(company(name),id)",
    );
    check("fields=author.name,author", "author(id,name)");
    check("fields=labels.a,labels.b(c,d)", "labels(a,b(c,d))");
    check("fields=labels.a,labels", "labels");
    check("fields=labels,labels.a", "labels");
    check("fields=comments", "comments(by(id,name),text)");
    check(
        "fields=comments.replies.replies.text",
        "comments(replies(replies(text)))",
    );
}

#[test]
fn without_fields_the_default_ones_are_shown() {
    check("", "author(id,name),id,title");
    check("author=7", "author(id,name),id,title");
}

/// JSON:API 1.1: an empty list is no field; a type not named shows its defaults.
#[test]
fn trap_16_fields_by_type_follow_json_api() {
    check("fields[post]=", "");
    check(
        "fields[post]=title,author&fields[user]=email",
        "author(email),title",
    );
    check("fields%5Bpost%5D=title", "title");
    check("fields[user]=", "author(),id,title");
    check("fields[user]=company", "author(company(id,name)),id,title");
    check("fields[comment]=id", "author(id,name),id,title");
}

#[test]
fn mistakes_name_the_parameter_and_say_what_is_allowed() {
    let check = |query: &str, code: &str, parameter: Option<&str>| {
        let problem = Fields::<Post>::from_query(query).unwrap_err();
        assert_eq!(
            (problem.status().as_u16(), problem.code()),
            (400, code),
            "{query}"
        );
        let named = match problem.source_of_error() {
            Some(crate::problem::Source::Parameter(name)) => Some(name.as_str()),
            _ => None,
        };
        assert_eq!(named, parameter, "{query}");
        serde_json::from_slice::<serde_json::Value>(&problem.to_json()).unwrap()
    };
    for malformed in ["fields=", "fields=id,", "fields=a(", "fields=a)b"] {
        check(malformed, "invalid-fields", Some("fields"));
    }
    check("fields=a.b.c.d.e", "query-too-large", Some("fields"));
    check(
        &format!("fields[post]={}id", "id,".repeat(100)),
        "query-too-large",
        Some("fields[post]"),
    );
    check(
        &format!("fields={}", "x".repeat(9_000)),
        "query-too-large",
        None,
    );
    check(
        "fields=id&fields=title",
        "repeated-parameter",
        Some("fields"),
    );
    check(
        "fields=id&fields[post]=id",
        "conflicting-parameters",
        Some("fields[post]"),
    );
    check("fields=title.x", "unknown-field", Some("fields"));
    check("fields[nope]=id", "unknown-field", Some("fields[nope]"));
    check("fields[post]=nope", "unknown-field", Some("fields[post]"));

    let problem = check("fields=autor.name", "unknown-field", Some("fields"));
    assert_eq!(
        problem["detail"],
        "There is no field \"autor\" here. Did you mean \"author\"?"
    );
    assert_eq!(
        problem["allowed"],
        serde_json::json!(["id", "title", "body", "author", "comments", "labels"])
    );
}

/// Trap 16: a hidden field gives the same error as one that does not exist, and is shown in no case.
#[test]
fn trap_16_a_hidden_field_is_as_unknown_as_a_missing_one() {
    let problem = |query: &str| {
        let problem = Fields::<Post>::from_query(query).unwrap_err();
        String::from_utf8(problem.to_json()).unwrap()
    };
    for pair in [
        ("fields=secret", "fields=sequin"),
        ("fields[post]=secret", "fields[post]=sequin"),
        ("fields=secret.x", "fields=sequin.x"),
    ] {
        assert_eq!(problem(pair.0), problem(pair.1).replace("sequin", "secret"));
    }
    assert!(problem("fields=__proto__").contains("__proto__"));
    let (author, secret) = (User { id: 2, name: "Ada" }, "x");
    let post = Post {
        id: 1,
        title: "T",
        secret,
        author,
    };
    let shown = Fields::<Post>::from_query("").unwrap().of(post);
    assert_eq!(
        serde_json::to_string(&shown).unwrap(),
        r#"{"id":1,"title":"T","author":{"id":2,"name":"Ada"}}"#
    );
}

#[tokio::test]
async fn an_answer_is_json_in_an_envelope_when_it_was_asked_for_by_type() {
    for (query, expected) in [
        ("fields=name", r#"{"name":"Ada"}"#),
        ("fields[user]=name", r#"{"data":{"name":"Ada"}}"#),
        ("fields[user]=", r#"{"data":{}}"#),
    ] {
        let fields = Fields::<User>::from_query(query).unwrap();
        let response = fields.of(User { id: 1, name: "Ada" }).into_response();
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, expected);
    }
}

proptest! {
    /// Whatever is asked, the answer is a selection of the schema or a 400, and the same selection again
    /// when it is asked for in its canonical form.
    #[test]
    fn a_canonical_form_means_itself(pieces in proptest::collection::vec(prop_oneof![
        Just("id"), Just("title"), Just("author"), Just("company"), Just("comments"), Just("replies"),
        Just("labels"), Just("text"), Just(","), Just("."), Just("("), Just(")"),
    ], 0..14)) {
        let query = format!("fields={}", pieces.concat());
        match Fields::<Post>::from_query(&query) {
            Ok(fields) => {
                let canonical = format!("fields={}", fields.selection());
                let again = Fields::<Post>::from_query(&canonical).unwrap();
                prop_assert_eq!(again.selection(), fields.selection());
            }
            Err(problem) => prop_assert_eq!(problem.status().as_u16(), 400),
        }
    }
}
