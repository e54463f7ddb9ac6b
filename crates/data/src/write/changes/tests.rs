//! Bodies against one resource: a hidden column, a generated one, a declared length, JSON.

use super::*;
use crate::catalog::sqlite::read;
use crate::resource::{ResourceSpec, Resources};

fn resources() -> Resources {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let schema = "CREATE TABLE item(
        id INTEGER PRIMARY KEY, name VARCHAR(5) NOT NULL, price INTEGER NOT NULL DEFAULT 0, note TEXT,
        extra JSON, secret_token TEXT, twice AS (price * 2), updated_at DATETIME NOT NULL)";
    connection.execute_batch(schema).unwrap();
    let mut spec = ResourceSpec::new("item");
    spec.hidden = vec!["secret_token".to_owned()];
    Resources::build(&read(&connection).unwrap(), vec![spec]).unwrap()
}

fn touch() -> Touch {
    Touch {
        column: 7,
        value: Value::Text("2026-01-01".to_owned()),
    }
}

fn run(verb: &str, body: &str) -> Result<Changes, BodyError> {
    let resources = resources();
    let resource = &resources.all()[0];
    let table = resources.table_of(resource);
    let key = [Value::Integer(7)];
    let touch = touch();
    match verb {
        "create" => Changes::create(resource, table, body.as_bytes(), Some(&touch)),
        "update" => Changes::update(resource, table, &key, body.as_bytes(), Some(&touch)),
        _ => Changes::replace(resource, table, &key, body.as_bytes(), Some(&touch)),
    }
}

#[test]
fn mistakes_come_all_at_once_each_with_its_place() {
    use FieldErrorCode::{
        Duplicate, Missing, NotAnObject, Null, OutOfRange, ReadOnly, TooLong, UnknownField,
        WrongType,
    };
    let check = |verb: &str, body: &str, expected: &[(&str, FieldErrorCode)]| {
        let Err(BodyError::Invalid(errors)) = run(verb, body) else {
            panic!("{verb} {body} is valid")
        };
        let found: Vec<_> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        assert_eq!(found, expected, "{verb} {body}: {errors:?}");
    };
    check("create", "{}", &[("/name", Missing)]);
    check("create", "[]", &[("", NotAnObject)]);
    check("create", " 5 ", &[("", NotAnObject)]);
    check(
        "create",
        r#"{"name":"toolong","price":9223372036854775808,"note":5,"twice":1,"a/b~c":1,"updated_at":null}"#,
        &[
            ("/name", TooLong),
            ("/price", OutOfRange),
            ("/note", WrongType),
            ("/twice", ReadOnly),
            ("/a~1b~0c", UnknownField),
            ("/updated_at", Null),
        ],
    );
    check(
        "create",
        r#"{"name":"a","name":"b"}"#,
        &[("/name", Duplicate)],
    );
    check(
        "create",
        r#"{"name":"a","secret_token":"x"}"#,
        &[("/secret_token", UnknownField)],
    );
    check("update", r#"{"id":8}"#, &[("/id", ReadOnly)]);
    check("update", r#"{"price":1e400}"#, &[("/price", OutOfRange)]);
    check(
        "replace",
        r#"{"name":"a"}"#,
        &[("/price", Missing), ("/note", Missing), ("/extra", Missing)],
    );
}

#[test]
fn hidden_is_unknown_word_for_word() {
    let message = |field: &str| match run("update", &format!("{{{field:?}:1}}")) {
        Err(BodyError::Invalid(errors)) => errors[0].message.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message("secret_token"),
        message("public_stuff").replace("public_stuff", "secret_token")
    );
    assert!(
        message("nam").contains("\"name\""),
        "the nearest field is suggested"
    );
}

#[test]
fn text_that_is_not_json_is_malformed() {
    let check = |body: &str| {
        assert!(
            matches!(run("create", body), Err(BodyError::Malformed(_))),
            "{body}"
        );
    };
    check("");
    check("{");
    check(r#"{"name":"a"} x"#);
    check(r#"{"name":01}"#);
    check("{'name':1}");
    check("[1,");
}

#[test]
fn valid_bodies_become_assignments() {
    let check = |verb: &str, body: &str, expected: &[(usize, bool)]| {
        let changes = run(verb, body).unwrap();
        let found: Vec<_> = changes
            .assignments
            .iter()
            .map(|one| (one.column, one.merge))
            .collect();
        assert_eq!(found, expected, "{verb} {body}");
    };
    check("create", r#"{"name":"a"}"#, &[(1, false), (7, false)]);
    check(
        "create",
        r#"{"id":5,"name":"a","updated_at":"2026-01-02"}"#,
        &[(0, false), (1, false), (7, false)],
    );
    check("update", "{}", &[]);
    check("update", r#"{"id":7}"#, &[]);
    check(
        "update",
        r#"{"id":7,"note":null}"#,
        &[(3, false), (7, false)],
    );
    check("update", r#"{"extra":{"a":1}}"#, &[(4, true), (7, false)]);
    check("update", r#"{"extra":[1]}"#, &[(4, false), (7, false)]);
    check(
        "replace",
        r#"{"name":"a","price":1,"note":null,"extra":{}}"#,
        &[(1, false), (2, false), (3, false), (4, false), (7, false)],
    );
}

#[test]
fn a_body_full_of_mistakes_gets_a_bounded_answer() {
    let members: Vec<_> = (0..5000).map(|number| format!("\"x{number}\":1")).collect();
    let Err(BodyError::Invalid(errors)) = run("update", &format!("{{{}}}", members.join(",")))
    else {
        panic!("valid");
    };
    assert_eq!(errors.len(), MOST_ERRORS);
}

proptest::proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..64), name in ".*", value in ".*") {
        let resources = resources();
        let resource = &resources.all()[0];
        let table = resources.table_of(resource);
        let _ = Changes::create(resource, table, &body, None);
        let object = format!("{{{}: {value}}}", serde_json::to_string(&name).unwrap());
        let _ = Changes::create(resource, table, object.as_bytes(), None);
        let known = format!("{{\"extra\": {value}, \"price\": {value}}}");
        let _ = Changes::create(resource, table, known.as_bytes(), None);
    }
}
