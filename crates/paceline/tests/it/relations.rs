//! Relations over HTTP: what is cut off, what is checked, when an answer is old.

use std::process::Command;

use crate::server::{BINARY, Server};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, title TEXT NOT NULL);
    CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE post_tags(post_id INTEGER REFERENCES posts, tag_id INTEGER REFERENCES tags, PRIMARY KEY(post_id, tag_id));
    INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob');
    INSERT INTO posts VALUES (1, 1, 'One'), (2, 1, 'Two'), (3, 1, 'Three'), (4, 2, 'Four');
    INSERT INTO tags VALUES (1, 'red'), (2, 'blue');
    INSERT INTO post_tags VALUES (1, 1), (2, 1), (2, 2);";

const CONFIG: &str = r#"
[server]
public_path = "/shop"

[database]
url = "sqlite:shop.db"

[resources.users]
type = "user"
relations = { posts = { limit = 2 } }

[resources.posts]
write = ["create"]
anonymous_write = true
relations = { author = "user_id", labels = { through = "post_tags", limit = 5 } }

[resources.tags]
relations = { posts = { through = "post_tags", by = "tag_id" } }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    folder
}

#[test]
fn a_list_that_is_cut_off_leads_to_the_rest() {
    let server = Server::serve(CONFIG, folder());
    let user = server.get("/api/users/1?fields=name,posts(id,labels.name)");
    assert_eq!(
        user.text(),
        concat!(
            r#"{"name":"Ann","posts":[{"id":1,"labels":[{"name":"red"}]},{"id":2,"labels":[{"name":"red"},{"name":"blue"}]}],"#,
            r#""posts@next":"/shop/api/posts?user_id=1&page=2&limit=2"}"#
        )
    );
    let next = user.json()["posts@next"].as_str().unwrap().to_owned();
    let rest = server.get(next.strip_prefix("/shop").unwrap()).json();
    assert_eq!(rest["data"][0]["title"], "Three");
    assert_eq!(rest["pagination"]["total"], 3);
    let document = server
        .get_with(
            "/api/users/1?include=posts",
            &["Accept: application/vnd.api+json"],
        )
        .json();
    let posts = &document["data"]["relationships"]["posts"];
    assert_eq!(posts["data"].as_array().unwrap().len(), 2, "{document}");
    assert_eq!(posts["links"]["related"], "/shop/api/posts?user_id=1");
    let next = posts["links"]["next"].as_str().unwrap();
    let rest = server.get(next.strip_prefix("/shop").unwrap());
    assert_eq!(rest.json()["data"][0]["id"], 3, "{}", rest.text());
}

#[test]
fn answers_and_totals_are_new_when_a_related_table_changed() {
    let server = Server::serve(CONFIG, folder());
    let nested = "/api/users?fields=name,posts.title";
    let filtered = "/api/users?posts.title=Five&fields=name";
    let before = server.get(nested);
    let tag = format!("If-None-Match: {}", before.header("etag"));
    assert_eq!(server.get_with(nested, &[&tag]).status, 304);
    assert_eq!(server.get(filtered).json()["pagination"]["total"], 0);
    let made = server.send_json("POST", "/api/posts", &[], r#"{"user_id":2,"title":"Five"}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    let after = server.get_with(nested, &[&tag]);
    assert_eq!(after.status, 200);
    assert_eq!(after.json()["data"][1]["posts"][1]["title"], "Five");
    let found = server.get(filtered).json();
    assert_eq!(found["pagination"]["total"], 1);
    assert_eq!(found["data"][0]["name"], "Bob");
    // The row written is answered with what is related to it.
    let body = r#"{"user_id":1,"title":"Six"}"#;
    let made = server.send_json(
        "POST",
        "/api/posts?fields=author(name,posts.id),labels.id",
        &[],
        body,
    );
    assert_eq!(
        made.text(),
        r#"{"author":{"name":"Ann","posts":[{"id":1},{"id":2}],"posts@next":"/shop/api/posts?user_id=1&page=2&limit=2"},"labels":[]}"#
    );
}

#[test]
fn exports_nest_and_csv_holds_lists_as_text() {
    let server = Server::serve(CONFIG, folder());
    let path = "/api/export/users?fields=name,posts.id&posts.title=One";
    let lines = server.get_with(path, &["Accept: application/x-ndjson"]);
    assert_eq!(
        lines.text(),
        "{\"name\":\"Ann\",\"posts\":[{\"id\":1},{\"id\":2}],\"posts@next\":\"/shop/api/posts?user_id=1&page=2&limit=2\"}\n"
    );
    let table = server.get_with(path, &["Accept: text/csv"]);
    assert_eq!(
        table.text(),
        concat!(
            "name,posts,posts@next\r\n",
            r#"Ann,"[{""id"":1},{""id"":2}]",/shop/api/posts?user_id=1&page=2&limit=2"#,
            "\r\n"
        )
    );
}

#[test]
fn mistakes_name_the_parameter() {
    let server = Server::serve(CONFIG, folder());
    for (path, code, parameter) in [
        ("/api/users?sort=posts.title", "invalid-sort", "sort"),
        (
            "/api/users?posts.titel=x",
            "unknown-parameter",
            "posts.titel",
        ),
        ("/api/posts?author.id=x", "invalid-filter", "author.id"),
        ("/api/posts?fields=labels.colour", "unknown-field", "fields"),
        (
            "/api/posts?fields=post_tags.tag_id",
            "unknown-field",
            "fields",
        ),
        ("/api/users/1?posts.id=1", "unknown-parameter", "posts.id"),
    ] {
        let problem = server.get(path).assert_problem(400, code);
        assert_eq!(problem["parameter"], parameter, "{problem}");
    }
}

#[test]
fn the_description_tells_of_related_rows() {
    let server = Server::serve(CONFIG, folder());
    let document = server.get("/openapi.json").json();
    let user = &document["components"]["schemas"]["Row.users"]["properties"];
    assert_eq!(
        user["posts"]["items"]["$ref"],
        "#/components/schemas/Row.posts"
    );
    assert_eq!(
        user["posts@next"]["type"],
        serde_json::json!(["string", "null"])
    );
    let post = &document["components"]["schemas"]["Row.posts"]["properties"];
    assert_eq!(
        post["author"]["anyOf"][0]["$ref"],
        "#/components/schemas/Row.users"
    );
    let parameters = document["paths"]["/api/posts"]["get"]["parameters"]
        .as_array()
        .unwrap();
    let named = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    assert!(
        named("author.name") && named("labels.name") && named("include"),
        "{parameters:?}"
    );
}

/// What `check` says of a configuration in this folder, and its exit code.
fn checked(folder: &tempfile::TempDir, config: &str) -> (Option<i32>, String) {
    let file = folder.path().join("paceline.toml");
    std::fs::write(&file, config).unwrap();
    let mut check = Command::new(BINARY);
    check.arg("check").arg("--config").arg(&file);
    check
        .env("PACELINE_STATE_DIR", folder.path())
        .env_remove("PACELINE_SECRET");
    let output = check.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn check_prints_relations_and_what_they_lack() {
    let folder = folder();
    let (code, told) = checked(&folder, CONFIG);
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "  author: one of users\n",
        "  posts: at most 2 of posts that refer by user_id\n",
        "  labels: at most 5 of tags through post_tags (post_id)\n",
        "  posts: at most 100 of posts through post_tags (tag_id)\n",
        "warning: users.posts reads all of posts for each row: create an index on posts (user_id)\n",
        "warning: tags.posts reads all of post_tags for each row: create an index on post_tags (tag_id)",
    ] {
        assert!(told.contains(line), "{line:?} in\n{told}");
    }
    assert!(
        !told.contains("posts.labels reads"),
        "its key leads the index:\n{told}"
    );
    for (from, to, told_of) in [
        ("{ limit = 2 }", "{ limit = 0 }", "from 1 to 10000"),
        ("{ limit = 2 }", "{ form = \"posts\" }", "`from`"),
        ("{ limit = 2 }", "{}", "names no column"),
        (
            "posts = { limit = 2 }",
            "comments = { limit = 2 }",
            "no relation to several rows is called",
        ),
        (
            "through = \"post_tags\", limit",
            "through = \"tag_posts\", limit",
            "the database has no table",
        ),
    ] {
        let (code, told) = checked(&folder, &CONFIG.replace(from, to));
        assert_eq!(code, Some(2), "{to}: {told}");
        assert!(told.contains(told_of), "{to}: {told}");
    }
}
