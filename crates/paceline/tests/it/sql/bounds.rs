//! Everything has a bound.

use serde_json::json;

use super::{Sql, batch, one};

#[test]
fn requests_rows_and_answers_have_their_bounds() {
    let sql = Sql::start_with("max_request = \"1KiB\"\nmax_response = \"2KiB\"\nmax_rows = 10\n");
    let long = json!({"query": "SELECT $1", "params": ["x".repeat(1024)]}).to_string();
    let refused = sql.send(&long, &[]);
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.json()["message"].is_string());
    for (statement, status) in [
        ("SELECT generate_series(1, 10)", 200),
        ("SELECT generate_series(1, 11)", 507),
        ("SELECT repeat('x', 3000)", 507),
        // Small on the wire, large as JSON.
        ("SELECT repeat(E'\\x01', 1000)", 507),
    ] {
        let answer = sql.send(&one(statement), &[]);
        assert_eq!(answer.status, status, "{statement}: {}", answer.text());
    }
    // A batch whose answer is too large is undone.
    let answer = sql.send(
        &batch(&[
            "INSERT INTO note(body) VALUES ('x')",
            "SELECT repeat('x', 3000)",
        ]),
        &[],
    );
    assert_eq!(answer.status, 507);
    assert_eq!(sql.directly("SELECT count(*) FROM note"), "0");
    assert_eq!(sql.value("SELECT 1"), 1);
}

#[test]
fn more_requests_than_connections_wait_and_all_are_answered() {
    let sql = Sql::start_with("connections = 2\n");
    let ask = |number: usize| {
        let answer = sql.send(
            &one(&format!("SELECT {number} AS n FROM pg_sleep(0.01)")),
            &[],
        );
        assert_eq!(answer.json()["rows"][0]["n"], number, "{}", answer.text());
    };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || (0..10).for_each(|n| ask(thread * 10 + n)));
        }
    });
    let busy = sql.directly(&format!(
        "SELECT count(*) <= 2 FROM pg_stat_activity WHERE usename = '{}'",
        sql.role
    ));
    assert_eq!(busy, "t");
}

#[test]
fn copy_is_refused_and_costs_nobody_else() {
    let sql = Sql::start();
    for statement in ["COPY note TO STDOUT", "COPY note FROM STDIN"] {
        let answer = sql.send(&one(statement), &[]);
        assert_eq!(
            answer.json()["code"],
            "0A000",
            "{statement}: {}",
            answer.text()
        );
        assert_eq!(sql.value("SELECT 1"), 1, "{statement}");
    }
}
