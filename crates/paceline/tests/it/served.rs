//! `paceline serve sqlite:FILE`: an existing database, no configuration.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::server::Server;

/// A small database with a relation, a composite key, capitals, a secret and text beyond ASCII.
fn library(folder: &Path) -> PathBuf {
    let path = folder.join("library.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE Author (AuthorId INTEGER PRIMARY KEY, Name TEXT NOT NULL, password_hash TEXT);
             CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL, AuthorId INTEGER REFERENCES Author(AuthorId), price REAL);
             CREATE TABLE shelf (room TEXT NOT NULL, place INTEGER NOT NULL, book_id INTEGER REFERENCES book(id), PRIMARY KEY (room, place));
             INSERT INTO Author VALUES (1, 'Brontë', 'secret'), (2, 'Čapek', NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 95)
             INSERT INTO book SELECT i, 'Book ' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE 1 + i % 2 END, i * 0.5 FROM n;
             INSERT INTO shelf VALUES ('north, 1', 7, 1);",
        )
        .unwrap();
    path
}

fn serve() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    (
        Server::serve_url(&format!("sqlite:{}", path.display())),
        folder,
    )
}

#[test]
fn pages_rows_fields_and_links_are_served() {
    let (server, _folder) = serve();
    let page = server.get("/api/book?page=2&limit=20&fields=id,title,Author.Name");
    assert_eq!(page.status, 200, "{}", page.text());
    let body = page.json();
    assert_eq!(
        body["data"][0],
        json!({"id": 21, "title": "Book 21", "Author": null})
    );
    assert_eq!(
        body["data"][1],
        json!({"id": 22, "title": "Book 22", "Author": {"Name": "Brontë"}})
    );
    assert_eq!(body["pagination"]["total"], 95);
    assert_eq!(body["pagination"]["pages"], 5);
    assert!(page.header("link").contains("rel=\"next\""));
    assert_eq!(
        server.get("/api/Author/2?fields=Name").json(),
        json!({"Name": "Čapek"})
    );
    assert_eq!(
        server.get("/api/book/4?fields=AuthorId.Name").json(),
        json!({"Author": {"Name": "Brontë"}})
    );
    assert_eq!(
        server.get("/api/book/4?fields[book]=title").json(),
        json!({"data": {"title": "Book 4"}})
    );
    assert_eq!(server.get("/api/shelf/north%2C%201,7").json()["book_id"], 1);
}

#[test]
fn trap_13_a_walk_by_cursor_sees_each_row_once() {
    let (server, _folder) = serve();
    for sort in ["id", "-price", "AuthorId", "-AuthorId,title"] {
        let mut seen = Vec::new();
        let mut path = format!("/api/book?limit=7&fields=id&sort={sort}");
        loop {
            let page = server.get(&path);
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            seen.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["id"].as_i64().unwrap()),
            );
            let Some(cursor) = page["pagination"]["next"].as_str() else {
                break;
            };
            path = format!("/api/book?limit=7&fields=id&sort={sort}&cursor={cursor}");
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=95).collect::<Vec<_>>(), "{sort}");
    }
}

#[test]
fn secrets_do_not_exist_and_bad_parameters_are_named() {
    let (server, _folder) = serve();
    assert!(!server.get("/api/Author").text().contains("secret"));
    for (query, parameter) in [
        ("fields=password_hash", "fields"),
        ("page=0", "page"),
        ("limit=101", "limit"),
        ("colour=red", "colour"),
    ] {
        let answer = server.get(&format!("/api/Author?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["parameter"], parameter);
    }
    assert_eq!(server.get("/api/Author/9").status, 404);
    assert_eq!(server.get("/api/nothing").status, 404);
    let refused = server.send_json("POST", "/api/book", &[], "{}");
    refused.assert_problem(405, "method-not-allowed");
    assert!(refused.header("allow").contains("GET"));
}

#[test]
fn a_304_runs_no_statement_until_another_process_writes() {
    let (server, folder) = serve();
    let path = "/api/book?limit=50";
    let tag = server.get(path).header("etag").to_owned();
    let zipped = server.get_with(path, &["Accept-Encoding: gzip"]);
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&text).unwrap(),
        server.get(path).json()
    );
    let before = server.metric("paceline_sql_statements_total");
    for tag in [tag.as_str(), zipped.header("etag")] {
        let again = server.get_with(path, &[&format!("If-None-Match: {tag}")]);
        assert_eq!(again.status, 304);
        assert!(again.body.is_empty());
    }
    assert_eq!(server.metric("paceline_sql_statements_total"), before);
    let other = rusqlite::Connection::open(folder.path().join("library.db")).unwrap();
    other
        .execute("UPDATE book SET title = 'Changed' WHERE id = 1", [])
        .unwrap();
    let changed = server.get_with(path, &[&format!("If-None-Match: {tag}")]);
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["data"][0]["title"], "Changed");
}

#[test]
fn exports_come_whole_in_each_format() {
    let (server, _folder) = serve();
    assert_eq!(
        server
            .get("/api/export/book")
            .json()
            .as_array()
            .unwrap()
            .len(),
        95
    );
    let lines = server.get_with("/api/export/book", &["Accept: application/x-ndjson"]);
    assert_eq!(lines.text().lines().count(), 95);
    let table = server.get_with(
        "/api/export/book?fields=id,title&id=3",
        &["Accept: text/csv"],
    );
    assert_eq!(table.text(), "id,title\r\n3,Book 3\r\n");
    assert_eq!(
        server
            .get_with("/api/export/book", &["Accept: image/png"])
            .status,
        406
    );
}

#[test]
fn exports_are_compressed_while_they_are_sent() {
    let (server, _folder) = serve();
    let plain = server.get_with("/api/export/book", &["Accept: application/x-ndjson"]);
    let headers = ["Accept: application/x-ndjson", "Accept-Encoding: gzip"];
    let zipped = server.get_with("/api/export/book", &headers);
    assert_eq!(zipped.header("content-encoding"), "gzip");
    let mut varies = zipped.headers.get_all("vary").iter();
    assert!(varies.any(|name| name == "accept-encoding"));
    assert!(zipped.body.len() < plain.body.len() / 3);
    let mut rows = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..])
        .read_to_end(&mut rows)
        .unwrap();
    assert_eq!(rows, plain.body);
}

#[test]
fn it_is_healthy_checks_hosts_and_stops_when_asked() {
    let (server, _folder) = serve();
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    server
        .get_with("/api/book/1", &["Host: evil.example"])
        .assert_problem(421, "host-not-allowed");
    assert_eq!(server.get("/openapi.json").json()["openapi"], "3.1.0");
    server.terminate();
    let (status, output) = server.wait();
    assert!(status.success(), "{status} {output}");
}

/// Real data: capitalised names, composite keys, a self-reference, text beyond ASCII.
#[test]
fn chinook_is_served_as_it_is() {
    let Some(path) = std::env::var_os("PACELINE_CHINOOK") else {
        println!("skipped: PACELINE_CHINOOK does not name the Chinook database; .ci/run sets it");
        return;
    };
    let before = std::fs::read(&path).unwrap();
    let server = Server::serve_url(&format!("sqlite:{}", path.display()));
    let track = server.get("/api/Track/1?fields=Name,AlbumId.Title,Album.Artist.Name");
    assert_eq!(track.status, 200, "{}", track.text());
    let expected = json!({
        "Name": "For Those About To Rock (We Salute You)",
        "Album": {"Title": "For Those About To Rock We Salute You", "Artist": {"Name": "AC/DC"}},
    });
    assert_eq!(track.json(), expected);
    let member = server.get("/api/PlaylistTrack/1,3402");
    assert_eq!(member.json(), json!({"PlaylistId": 1, "TrackId": 3402}));
    let boss = server.get("/api/Employee/2?fields=LastName,ReportsTo(LastName)");
    assert_eq!(
        boss.json()["ReportsTo"]["LastName"],
        "Adams",
        "{}",
        boss.text()
    );
    let customers = server.get("/api/Customer?Country=Brazil&sort=LastName&fields=LastName,City");
    assert_eq!(
        customers.json()["data"][2]["City"],
        "São Paulo",
        "{}",
        customers.text()
    );
    let exported = server.get("/api/export/Track?fields=TrackId");
    assert_eq!(exported.json().as_array().unwrap().len(), 3503);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "serving leaves the file's bytes unchanged"
    );
}
