//! Lists, pages, fields and filters as the request table promises them.

use serde_json::{Value, json};

use crate::server::shared_demo;

#[test]
fn a_page_has_rows_totals_and_links() {
    let server = shared_demo();
    let answer = server.get("/api/posts?page=2&limit=20");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let ids: Vec<i64> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, (21..=40).collect::<Vec<_>>());
    let pagination = &list["pagination"];
    for (name, expected) in [
        ("page", 2),
        ("limit", 20),
        ("total", 100_000),
        ("pages", 5000),
    ] {
        assert_eq!(pagination[name], expected, "{name}");
    }
    assert!(pagination["next"].is_string());
    let link = answer.header("link");
    for relation in ["first", "prev", "next", "last"] {
        assert!(
            link.contains(&format!("rel=\"{relation}\"")),
            "{relation} in {link}"
        );
    }
}

#[test]
fn the_cursor_of_a_page_leads_to_the_next_and_keeps_the_sort() {
    let server = shared_demo();
    let first = server
        .get("/api/posts?sort=-created_at&limit=50&fields=id,created_at")
        .json();
    let cursor = first["pagination"]["next"].as_str().unwrap();
    let second = server.get(&format!(
        "/api/posts?sort=-created_at&limit=50&fields=id,created_at&cursor={cursor}"
    ));
    assert_eq!(second.status, 200, "{}", second.text());
    let second = second.json();
    let by_page = server
        .get("/api/posts?sort=-created_at&limit=50&fields=id,created_at&page=2")
        .json();
    assert_eq!(second["data"], by_page["data"]);
}

#[test]
fn trap_14_a_cursor_of_another_query_and_a_changed_one_are_refused() {
    let server = shared_demo();
    let cursor = server.get("/api/posts").json()["pagination"]["next"]
        .as_str()
        .unwrap()
        .to_owned();
    for query in [
        format!("sort=-id&cursor={cursor}"),
        format!("user_id=1&cursor={cursor}"),
        "cursor=AAAA".into(),
    ] {
        let problem = server.get(&format!("/api/posts?{query}"));
        assert_eq!(problem.status, 400, "{query}");
        assert_eq!(problem.json()["parameter"], "cursor", "{query}");
    }
    let users = server.get(&format!("/api/users?cursor={cursor}"));
    assert_eq!(users.status, 400);
}

#[test]
fn trap_13_the_last_page_has_no_next_and_beyond_it_is_empty() {
    let server = shared_demo();
    let last = server.get("/api/posts?page=5000").json();
    assert_eq!(last["data"].as_array().unwrap().len(), 20);
    assert_eq!(last["pagination"]["next"], Value::Null);
    let beyond = server.get("/api/posts?page=5001");
    assert_eq!(beyond.status, 200);
    assert_eq!(beyond.json()["data"], json!([]));
    assert_eq!(beyond.json()["pagination"]["next"], Value::Null);
}

#[test]
fn filters_narrow_the_list_and_its_total() {
    let server = shared_demo();
    let all = server.get("/api/posts?user_id=7&limit=100").json();
    let rows = all["data"].as_array().unwrap();
    assert_eq!(all["pagination"]["total"], rows.len());
    assert!(rows.iter().all(|row| row["user_id"] == 7));
    let recent = server
        .get("/api/posts?user_id=7&created_at[gte]=2026-01-01&limit=100")
        .json();
    let expected = rows
        .iter()
        .filter(|row| row["created_at"].as_str().unwrap() >= "2026-01-01")
        .count();
    assert_eq!(recent["pagination"]["total"], expected);
}

#[test]
fn the_three_spellings_select_the_same_fields() {
    let server = shared_demo();
    let dotted = server
        .get("/api/posts/123?fields=id,title,author.name")
        .json();
    assert_eq!(dotted.as_object().unwrap().len(), 3, "{dotted}");
    assert_eq!(dotted["author"].as_object().unwrap().len(), 1);
    assert_eq!(
        server
            .get("/api/posts/123?fields=id,title,author(name)")
            .json(),
        dotted
    );
    let user = server.get("/api/users/1?fields[user]=id,name").json();
    assert_eq!(
        user["data"],
        server.get("/api/users/1?fields=id,name").json()
    );
}

#[test]
fn trap_16_hidden_columns_answer_like_unknown_ones() {
    let server = shared_demo();
    let hidden = server.get("/api/users?fields=id,password_hash");
    let problem = hidden.assert_problem(400, hidden.json()["code"].as_str().unwrap());
    assert_eq!(problem["parameter"], "fields");
    // As far from every name that there is.
    let unknown = server.get("/api/users?fields=id,password_hush").text();
    assert_eq!(
        hidden.text().replace("password_hash", "X"),
        unknown.replace("password_hush", "X")
    );
    for path in ["/api/users/1", "/api/users", "/api/export/users"] {
        assert!(!server.get(path).text().contains("argon2"), "{path}");
    }
    assert_eq!(server.get("/api/users?password_hash=x").status, 400);
    assert_eq!(server.get("/api/users?sort=password_hash").status, 400);
}

#[test]
fn trap_12_bad_parameters_are_named_not_corrected() {
    let server = shared_demo();
    for (query, parameter) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=abc", "page"),
        ("page=", "page"),
        ("page=100000000000000000000", "page"),
        ("page=1&page=2", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e9", "limit"),
        ("colour=red", "colour"),
        ("sort=colour", "sort"),
        ("fields=colour", "fields"),
        ("user_id=abc", "user_id"),
        ("user_id[near]=1", "user_id[near]"),
        ("count=maybe", "count"),
    ] {
        let answer = server.get(&format!("/api/posts?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert_eq!(
            answer.json()["parameter"],
            parameter,
            "{query}: {}",
            answer.text()
        );
    }
}

#[test]
fn json_api_answers_a_whole_document() {
    let server = shared_demo();
    let accept = ["Accept: application/vnd.api+json"];
    let answer = server.get_with(
        "/api/posts/123?include=author&fields[post]=title,author&fields[user]=name",
        &accept,
    );
    assert_eq!(answer.header("content-type"), "application/vnd.api+json");
    let document = answer.json();
    assert_eq!(document["data"]["type"], "post");
    assert_eq!(document["data"]["id"], "123");
    assert_eq!(document["data"]["attributes"].as_object().unwrap().len(), 1);
    assert_eq!(document["included"][0]["type"], "user");
    let list = server
        .get_with(
            "/api/posts?page[number]=2&page[size]=10&filter[user_id]=7&sort=-id",
            &accept,
        )
        .json();
    assert!(
        list["links"]["next"].is_string() || list["links"]["next"].is_null(),
        "{list}"
    );
    assert!(list["data"].is_array());
}

#[test]
fn paths_and_methods_that_do_not_exist_say_so() {
    let server = shared_demo();
    assert_eq!(server.get("/api/nothing").status, 404);
    assert_eq!(server.get("/nothing").status, 404);
    assert_eq!(server.get("/api/posts/999999999").status, 404);
    assert_eq!(server.get("/api/posts/abc").status, 404);
    let refused = server.send_json("POST", "/api/posts", &[], "{}");
    refused.assert_problem(405, "method-not-allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD");
    assert_eq!(
        server
            .send_json("DELETE", "/api/products", &[], "{}")
            .status,
        405
    );
}
