//! The protocol in its details.

use serde_json::json;

use super::{PASSWORD, Sql, TOKEN, batch, connection_string, one};
use crate::client;

#[test]
fn trap_14_the_protocol_of_neon() {
    let sql = Sql::start();
    // Content-Type text/plain is what the driver sends; others are taken as well.
    let answer = sql.send(&one("SELECT 1 AS one"), &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    // int8 and numeric are text, the rest is typed; NULL stands inside of lists.
    let answer = sql.ask(
        "SELECT 9007199254740993::int8 AS big, 1.10::numeric AS price, 7::int4 AS small, 1.5::float8 AS real, true AS yes,
         '{\"a\":[1]}'::jsonb AS doc, ARRAY[1,NULL,3] AS list, ARRAY[9007199254740993,NULL] AS bigs, 'x' AS text",
    );
    assert_eq!(
        answer["rows"][0],
        json!({"big": "9007199254740993", "price": "1.10", "small": 7, "real": 1.5, "yes": true, "doc": {"a": [1]},
            "list": [1, null, 3], "bigs": ["9007199254740993", null], "text": "x"})
    );
    assert_eq!(answer["command"], "SELECT");
    assert_eq!(answer["rowCount"], 1);
    assert_eq!(answer["rowAsArray"], false);
    // A batch is undone with its second statement.
    let refused = sql.send(
        &batch(&[
            "INSERT INTO note(body) VALUES ('x')",
            "INSERT INTO note(id, body) VALUES (1, NULL)",
        ]),
        &[],
    );
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.json()["code"], "23502");
    assert_eq!(refused.json()["column"], "body");
    assert_eq!(sql.directly("SELECT count(*) FROM note"), "0");
    // More than 10 MiB.
    let large = sql.send(
        &one("SELECT repeat('x', 1000000) FROM generate_series(1, 11)"),
        &[],
    );
    assert_eq!(large.status, 507, "{}", large.text());
}

#[test]
fn raw_text_and_rows_as_lists() {
    let sql = Sql::start();
    let raw = ["Neon-Raw-Text-Output: true", "Neon-Array-Mode: true"];
    let statement = "SELECT 7::int4 AS n, true AS yes, ARRAY[1,NULL] AS list, NULL::int AS nothing, note.id FROM note RIGHT JOIN (VALUES (1)) AS v ON false";
    let answer = sql.send(&one(statement), &raw).json();
    assert_eq!(answer["rows"], json!([["7", "t", "{1,NULL}", null, null]]));
    assert_eq!(answer["rowAsArray"], true);
    let table = sql.directly("SELECT 'note'::regclass::oid");
    assert_eq!(
        answer["fields"][4],
        json!({"name": "id", "dataTypeID": 23, "tableID": table.parse::<u32>().unwrap(), "columnID": 1,
            "dataTypeSize": 4, "dataTypeModifier": -1, "format": "text"})
    );
    // Each statement of a batch may have its own form.
    let body = json!({"queries": [{"query": "SELECT 1 AS a"}, {"query": "SELECT 1 AS a", "arrayMode": true}]});
    let answer = sql.send(&body.to_string(), &[]).json();
    assert_eq!(answer["results"][0]["rows"], json!([{"a": 1}]));
    assert_eq!(answer["results"][1]["rows"], json!([[1]]));
    // What cannot be decoded stays text; enums and their arrays are looked up.
    let answer = sql
        .ask("SELECT 'sad'::mood AS m, ARRAY['sad', NULL]::mood[] AS ms, '1 2'::int2vector AS v");
    assert_eq!(
        answer["rows"][0],
        json!({"m": "sad", "ms": ["sad", null], "v": "1 2"})
    );
}

#[test]
fn values_reach_the_server_as_what_they_are() {
    let sql = Sql::start();
    let body = json!({
        "query": "SELECT $1::text AS a, $2::int AS b, $3::bool AS c, $4::jsonb AS d, $5::text[] AS e, $6::text AS f",
        "params": ["it's", 7, true, {"x": [1, null]}, ["a\"b", null, "NULL", "c,d"], null]
    });
    let answer = sql.send(&body.to_string(), &[]);
    assert_eq!(
        answer.json()["rows"][0],
        json!({"a": "it's", "b": 7, "c": true, "d": {"x": [1, null]}, "e": ["a\"b", null, "NULL", "c,d"], "f": null})
    );
    let zero = json!({"query": "SELECT $1::text", "params": ["a\0b"]}).to_string();
    let refused = sql.send(&zero, &[]);
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (400, &json!("22021"))
    );
    assert_eq!(sql.value("SELECT 1"), 1, "the connection is fine");
}

#[test]
fn batches_are_transactions_as_they_were_asked_for() {
    let sql = Sql::start();
    let headers = [
        "Neon-Batch-Isolation-Level: Serializable",
        "Neon-Batch-Read-Only: true",
        "Neon-Batch-Deferrable: true",
    ];
    let shown = [
        "SHOW transaction_isolation",
        "SHOW transaction_read_only",
        "SHOW transaction_deferrable",
    ];
    let answer = sql.send(&batch(&shown), &headers);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        assert_eq!(answer.header(&name.to_lowercase()), value);
    }
    let results = answer.json();
    let rows: Vec<_> = (0..3)
        .map(|n| results["results"][n]["rows"][0].clone())
        .collect();
    assert_eq!(
        json!(rows),
        json!([{"transaction_isolation": "serializable"}, {"transaction_read_only": "on"},
            {"transaction_deferrable": "on"}])
    );
    let refused = sql.send(&batch(&["INSERT INTO note(body) VALUES ('x')"]), &headers);
    assert_eq!(refused.json()["code"], "25006");
    assert_eq!(sql.send(&batch(&[]), &[]).json(), json!({"results": []}));
    // None of its statements may end it: what came before must not be committed by itself.
    for end in ["ROLLBACK", "COMMIT"] {
        let refused = sql.send(&batch(&["SELECT 1", end, "SELECT 2"]), &[]);
        assert_eq!(refused.status, 400, "{end}: {}", refused.text());
        assert_eq!(refused.json()["code"], "25001", "{end}");
    }
    // A constraint that is judged at the end fails the batch.
    sql.directly(
        "CREATE TABLE late(id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
         GRANT ALL ON late TO PUBLIC",
    );
    let twice = batch(&["INSERT INTO late VALUES (1)", "INSERT INTO late VALUES (1)"]);
    assert_eq!(sql.send(&twice, &[]).json()["code"], "23505");
    assert_eq!(sql.directly("SELECT count(*) FROM late"), "0");
}

#[test]
fn only_who_has_the_password_or_the_token_is_answered() {
    let sql = Sql::start();
    let ask = |headers: &[&str]| {
        let answer = client::send(
            "POST",
            &sql.endpoint,
            headers,
            Some(one("SELECT 1").as_bytes()),
        );
        let code = answer.json()["code"].clone();
        (answer.status.as_u16(), code)
    };
    let header =
        |password: &str| format!("Neon-Connection-String: {}", connection_string(password));
    let refused = (400, json!("28P01"));
    assert_eq!(ask(&[&header(PASSWORD)]).0, 200);
    assert_eq!(ask(&[&format!("Authorization: Bearer {TOKEN}")]).0, 200);
    assert_eq!(ask(&[]), refused);
    assert_eq!(ask(&[&header("wrong")]), refused);
    assert_eq!(ask(&[&header("")]), refused);
    assert_eq!(ask(&["Neon-Connection-String: nonsense"]), refused);
    assert_eq!(ask(&["Authorization: Bearer wrong"]), refused);
    assert_eq!(ask(&["Authorization: Bearer "]), refused);
    // A wrong token is not made good by a right password.
    assert_eq!(
        ask(&[&header(PASSWORD), "Authorization: Bearer wrong"]),
        refused
    );
    // The role's own password is not the endpoint's.
    assert_eq!(ask(&[&header("of-the-role")]), refused);
}

#[test]
fn an_address_that_guesses_is_not_listened_to() {
    let settings =
        "max_guesses = 3\nguess_window = \"1h\"\n[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let sql = Sql::start_with(settings);
    let ask = |address: &str, header: &str| {
        let forwarded = format!("X-Forwarded-For: {address}");
        let body = one("SELECT 1");
        let headers = [forwarded.as_str(), header];
        client::send("POST", &sql.endpoint, &headers, Some(body.as_bytes()))
    };
    let right = format!("Neon-Connection-String: {}", connection_string(PASSWORD));
    let wrong = format!("Neon-Connection-String: {}", connection_string("guess"));
    let guesser = "192.0.2.1";
    for _ in 0..5 {
        assert_eq!(ask(guesser, "X-Nothing: 1").status, 400, "this is no guess");
        assert_eq!(ask(guesser, &right).status, 200, "nor is this");
    }
    for guess in [&wrong, "Authorization: Bearer wrong", &wrong] {
        assert_eq!(ask(guesser, guess).status, 400);
    }
    for header in [&wrong, &right] {
        let refused = ask(guesser, header);
        assert_eq!(refused.status, 429, "{}", refused.text());
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1100..=1200).contains(&wait), "{wait}");
        let told = refused.json();
        assert!(
            told["message"].as_str().unwrap().contains("too many"),
            "{told}"
        );
    }
    assert_eq!(ask("192.0.2.2", &right).status, 200, "somebody else");
}

#[test]
fn what_is_not_the_protocol_is_told_so() {
    let sql = Sql::start();
    for (body, headers, part) in [
        ("SELECT 1", &[][..], "queries"),
        ("[]", &[], "queries"),
        (
            "{\"query\":\"SELECT 1\"}",
            &["Neon-Array-Mode: yes"],
            "neon-array-mode",
        ),
        (
            "{\"queries\":[]}",
            &["Neon-Batch-Isolation-Level: Dirty"],
            "Neon-Batch-Isolation-Level",
        ),
    ] {
        let answer = sql.send(body, headers);
        assert_eq!(answer.status, 400, "{body}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{message}");
    }
    let base = sql.endpoint.strip_suffix("/sql").unwrap();
    assert_eq!(client::send("GET", &sql.endpoint, &[], None).status, 405);
    assert_eq!(
        client::send("POST", &format!("{base}/v2"), &[], Some(b"{}")).status,
        404
    );
    // It is on no other listener.
    let body = one("SELECT 1");
    for other in [&sql.server.base, &sql.server.admin] {
        let answer = client::send("POST", &format!("{other}/sql"), &[], Some(body.as_bytes()));
        assert_eq!(answer.status, 404, "{other}");
    }
}

#[test]
fn pages_of_other_origins_need_leave() {
    let ask = |sql: &Sql, origin: &str| {
        let headers = [
            &format!("Origin: {origin}"),
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: neon-connection-string,neon-array-mode",
        ];
        client::send("OPTIONS", &sql.endpoint, &headers, None)
    };
    let allowed = |answer: &client::Answer| {
        let value = answer.headers.get("access-control-allow-origin");
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let closed = Sql::start();
    assert_eq!(allowed(&ask(&closed, "https://app.example.com")), None);
    let open = Sql::start_with("allowed_origins = [\"https://app.example.com\"]\n");
    let answer = ask(&open, "https://app.example.com");
    assert_eq!(allowed(&answer).as_deref(), Some("https://app.example.com"));
    let headers = answer.header("access-control-allow-headers").to_lowercase();
    assert!(headers.contains("neon-connection-string"), "{headers}");
    assert_eq!(allowed(&ask(&open, "https://evil.example.com")), None);
    let any = Sql::start_with("allowed_origins = [\"*\"]\n");
    assert_eq!(
        allowed(&ask(&any, "https://evil.example.com")).as_deref(),
        Some("*")
    );
}
