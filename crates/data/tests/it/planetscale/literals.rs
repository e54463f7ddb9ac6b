//! Values in the text of statements: whatever they are, they come back as themselves and end nowhere else.

use paceline_data::Value;
use paceline_data::planetscale::{PlanetScaleClient, Repeat, literal};
use paceline_test_servers::PlanetScaleOptions;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{client, double, double_with, soon, values};

/// Values of one statement.
const AT_ONCE: usize = 50;
/// Statements a test sends.
const STATEMENTS: usize = 40;

/// Sends literals, and gives what they are to the server, with a mark behind them that no literal may eat.
async fn echoed(client: &PlanetScaleClient, sent: &[Value]) -> Vec<Value> {
    let literals: Vec<String> = sent.iter().map(|value| literal(value).unwrap()).collect();
    let sql = format!("SELECT {}, 'mark'", literals.join(", "));
    let rows = client.execute(&sql, Repeat::Allowed, soon()).await.unwrap();
    let mut row = values(&rows).pop().unwrap();
    assert_eq!(row.pop(), Some(Value::Text("mark".to_owned())), "{sql}");
    row
}

/// Sends many values of a kind and compares.
async fn check(strategy: impl Strategy<Value = Value>) {
    let double = double();
    let client = client(&double);
    let many = prop::collection::vec(strategy, AT_ONCE);
    let mut runner = TestRunner::default();
    for _ in 0..STATEMENTS {
        let sent = many.new_tree(&mut runner).unwrap().current();
        assert_eq!(echoed(&client, &sent).await, sent);
    }
}

#[tokio::test]
async fn any_text_comes_back() {
    // Often of what means something within quotes.
    let special = prop::sample::select(vec![
        "'", "\"", "\\", "\0", "\u{1a}", "\n", "\r", "\t", "\u{8}", "--", "/*", "*/", "#", ";",
        "%", "_", "?", "`", "x'", "\u{2019}", "\u{bf}", "\u{5c}", "ř", "🐎", " ",
    ]);
    let special = prop::collection::vec(special, 0..12).prop_map(|parts| parts.concat());
    let text = prop_oneof![special, any::<String>()];
    check(text.prop_map(Value::Text)).await;
}

#[tokio::test]
async fn any_bytes_come_back() {
    let bytes = prop::collection::vec(any::<u8>(), 0..60);
    check(bytes.prop_map(Value::Blob)).await;
}

#[tokio::test]
async fn any_number_comes_back() {
    let edges = prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX]);
    check(prop_oneof![any::<i64>(), edges].prop_map(Value::Integer)).await;
    let finite = prop::num::f64::NORMAL | prop::num::f64::NEGATIVE | prop::num::f64::ZERO;
    check(finite.prop_map(Value::Real)).await;
}

#[tokio::test]
async fn values_are_stored_as_they_are() {
    let double = double();
    double
        .sql("CREATE TABLE kept (id INT PRIMARY KEY, t LONGTEXT COLLATE utf8mb4_bin, b LONGBLOB)");
    let client = client(&double);
    let row = (any::<String>(), prop::collection::vec(any::<u8>(), 0..300));
    let many = prop::collection::vec(row, 200);
    let sent = many.new_tree(&mut TestRunner::default()).unwrap().current();
    let rows = sent.iter().enumerate().map(|(id, (text, bytes))| {
        let text = literal(&Value::Text(text.clone())).unwrap();
        let bytes = literal(&Value::Blob(bytes.clone())).unwrap();
        format!("({id}, {text}, {bytes})")
    });
    let rows: Vec<String> = rows.collect();
    let sql = format!("INSERT INTO kept VALUES {}", rows.join(", "));
    let made = client.execute(&sql, Repeat::Never, soon()).await.unwrap();
    assert_eq!(made.affected(), 200);
    let sql = "SELECT t, b FROM kept ORDER BY id";
    let found = client.execute(sql, Repeat::Allowed, soon()).await.unwrap();
    let sent = sent.into_iter();
    let sent: Vec<_> = sent
        .map(|(text, bytes)| vec![Value::Text(text), Value::Blob(bytes)])
        .collect();
    assert_eq!(values(&found), sent);
}

#[tokio::test]
async fn a_value_never_becomes_a_condition() {
    let double = double();
    double.sql("CREATE TABLE users (id INT PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'a'), (2, 'b')");
    let client = client(&double);
    for evil in [
        "' OR 1=1 -- ",
        r"\' OR 1=1 -- ",
        r"\\' OR 1=1 -- ",
        "\u{bf}' OR 1=1 -- ",
        "\u{ff07} OR 1=1 -- ",
        "'; DELETE FROM users; --",
        "a' /*",
        "\0' OR 1=1 -- ",
    ] {
        let name = literal(&Value::Text(evil.to_owned())).unwrap();
        let sql = format!("SELECT id FROM users WHERE name = {name}");
        let found = client.execute(&sql, Repeat::Allowed, soon()).await;
        let found = found.unwrap_or_else(|error| panic!("{evil:?}: {error}"));
        assert_eq!(values(&found), Vec::<Vec<Value>>::new(), "{evil:?}");
    }
    assert_eq!(double.sql("SELECT count(*) FROM users"), "2");
}

#[tokio::test]
async fn sessions_in_which_values_would_mean_something_else_are_not_used() {
    for (setting, about) in [
        (
            "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "NO_BACKSLASH_ESCAPES",
        ),
        ("SET NAMES latin1", "latin1"),
        ("SET SESSION character_set_results = NULL", "\"\""),
    ] {
        let options = PlanetScaleOptions {
            setup: vec![setting.to_owned()],
            ..PlanetScaleOptions::default()
        };
        let double = double_with(options);
        let client = client(&double);
        let error = client.execute("SELECT 1", Repeat::Allowed, soon()).await;
        let error = error.expect_err(setting).to_string();
        assert!(error.contains(about), "{error}");
        let asked = double.asked();
        assert_eq!(asked.len(), 1, "only the question was asked: {asked:?}");
    }
}
