//! POST, PATCH, PUT and DELETE with their preconditions.

use serde_json::json;

use crate::server::{Server, shared_demo};

const PRODUCT: &str =
    r#"{"name":"Kettle","description":"Boils water","price_cents":1999,"stock":3}"#;

#[test]
fn a_row_is_created_changed_replaced_and_deleted() {
    let server = Server::demo(&[]);
    let created = server.send_json("POST", "/api/products", &[], PRODUCT);
    assert_eq!(created.status, 201, "{}", created.text());
    let path = created.header("location").to_owned();
    assert_eq!(created.json()["price_cents"], 1999);
    assert_eq!(server.get(&path).header("etag"), created.header("etag"));

    let changed = server.send_json("PATCH", &path, &[], r#"{"stock":2}"#);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["stock"], 2);
    assert_eq!(changed.json()["name"], "Kettle");
    assert_eq!(server.get(&path).json(), changed.json());

    let replaced = server.send_json("PUT", &path, &[], &PRODUCT.replace("Kettle", "Pot"));
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    assert_eq!(server.get(&path).json()["name"], "Pot");

    let deleted = server.send("DELETE", &path, &[], None);
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    assert!(deleted.body.is_empty());
    assert_eq!(server.get(&path).status, 404);
    assert_eq!(server.send("DELETE", &path, &[], None).status, 404);
}

#[test]
fn if_match_lets_one_writer_win_and_tells_412_from_404() {
    let server = Server::demo(&[]);
    let tag = server.get("/api/products/1").header("etag").to_owned();
    let condition = format!("If-Match: {tag}");
    let won = server.send_json("PATCH", "/api/products/1", &[&condition], r#"{"stock":41}"#);
    assert_eq!(won.status, 200, "{}", won.text());
    let lost = server.send_json("PATCH", "/api/products/1", &[&condition], r#"{"stock":42}"#);
    lost.assert_problem(412, "precondition-failed");
    assert_eq!(server.get("/api/products/1").json()["stock"], 41);
    let again = format!("If-Match: {}", won.header("etag"));
    assert_eq!(
        server
            .send_json("PATCH", "/api/products/1", &[&again], r#"{"stock":42}"#)
            .status,
        200
    );
    let gone = server.send_json(
        "PATCH",
        "/api/products/999999",
        &["If-Match: \"x\""],
        r#"{"stock":1}"#,
    );
    assert!(gone.status == 404 || gone.status == 412, "{}", gone.text());
    assert_eq!(
        server
            .send_json("PATCH", "/api/products/999999", &[], r#"{"stock":1}"#)
            .status,
        404
    );
}

#[test]
fn the_tag_of_any_coding_and_selection_is_accepted_and_other_rows_do_not_matter() {
    let server = Server::demo(&[]);
    let zipped = server
        .get_with("/api/products/3", &["Accept-Encoding: gzip"])
        .header("etag")
        .to_owned();
    let narrow = server
        .get("/api/products/4?fields=id,name")
        .header("etag")
        .to_owned();
    assert_eq!(
        server
            .send_json("PATCH", "/api/products/5", &[], r#"{"stock":1}"#)
            .status,
        200
    );
    for (path, tag) in [("/api/products/3", zipped), ("/api/products/4", narrow)] {
        let condition = format!("If-Match: {tag}");
        let answer = server.send_json("PATCH", path, &[&condition], r#"{"stock":7}"#);
        assert_eq!(answer.status, 200, "{path} {tag}: {}", answer.text());
    }
}

#[test]
fn trap_03_preconditions_are_judged_before_the_write() {
    let server = Server::demo(&[]);
    let tag = server.get("/api/products/6").header("etag").to_owned();
    let before = server.get("/api/products/6").json();
    for condition in [
        format!("If-Match: W/{tag}"),
        "If-Match: \"other\"".into(),
        format!("If-None-Match: {tag}"),
    ] {
        let refused = server.send_json("PATCH", "/api/products/6", &[&condition], r#"{"stock":0}"#);
        refused.assert_problem(412, "precondition-failed");
    }
    let exists = server.send_json("PUT", "/api/products/6", &["If-None-Match: *"], PRODUCT);
    exists.assert_problem(412, "precondition-failed");
    assert_eq!(server.get("/api/products/6").json(), before);
    let fresh = server.send_json("PUT", "/api/products/70001", &["If-None-Match: *"], PRODUCT);
    assert_eq!(fresh.status, 201, "{}", fresh.text());
    assert_eq!(server.get("/api/products/70001").json()["name"], "Kettle");
}

#[test]
fn a_body_with_mistakes_gets_all_of_them_at_once() {
    let server = shared_demo();
    let body = json!({"name": null, "price_cents": "cheap", "colour": "red"}).to_string();
    let answer = server.send_json("POST", "/api/products", &[], &body);
    let problem = answer.assert_problem(422, "invalid-body");
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    for pointer in ["/name", "/price_cents", "/colour", "/stock"] {
        assert!(pointers.contains(&pointer), "{pointer} in {problem}");
    }
}

#[test]
fn bodies_that_cannot_be_read_have_their_own_statuses() {
    let server = shared_demo();
    assert_eq!(
        server.send_json("POST", "/api/products", &[], "{").status,
        400
    );
    assert_eq!(
        server
            .send(
                "POST",
                "/api/products",
                &["Content-Type: text/plain"],
                Some(b"{}")
            )
            .status,
        415
    );
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    server
        .send_json("POST", "/api/products", &[], &large)
        .assert_problem(413, "payload-too-large");
}

#[test]
fn a_constraint_names_the_field_and_leaks_no_sql() {
    let server = shared_demo();
    let answer = server.send_json("POST", "/api/products", &[], &PRODUCT.replace("1999", "-1"));
    assert!(
        answer.status == 409 || answer.status == 422,
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("price_cents"), "{}", answer.text());
    assert!(
        !answer.text().to_ascii_lowercase().contains("insert"),
        "{}",
        answer.text()
    );
}

#[test]
fn concurrent_writers_with_one_tag_have_one_winner() {
    let server = Server::demo(&[]);
    let condition = format!("If-Match: {}", server.get("/api/products/8").header("etag"));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let write = |stock: u32| {
            let (server, condition) = (&server, &condition);
            let body = format!(r#"{{"stock":{stock}}}"#);
            move || {
                server
                    .send_json("PATCH", "/api/products/8", &[condition], &body)
                    .status
                    .as_u16()
            }
        };
        let writers: Vec<_> = (1000..1016)
            .map(|stock| scope.spawn(write(stock)))
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 412).count(),
        15,
        "{statuses:?}"
    );
}
