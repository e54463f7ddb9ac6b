//! Where the secret comes from, and what happens when it is not one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{BINARY, Server};

/// A database of 30 rows.
fn numbers(folder: &Path) -> PathBuf {
    let path = folder.join("numbers.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE number (id INTEGER PRIMARY KEY);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
             INSERT INTO number SELECT i FROM n;",
        )
        .unwrap();
    path
}

/// Serves the file, reads on from `cursor`, stops; answers the page's next cursor and what was printed.
fn visit(database: &Path, state: &Path, cursor: Option<&str>) -> (String, String) {
    let server = Server::serve_url_with_state(&format!("sqlite:{}", database.display()), state);
    let from = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    let page = server.get(&format!("/api/number?limit=10{from}"));
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.json();
    let first = if cursor.is_some() { 11 } else { 1 };
    assert_eq!(page["data"][0]["id"], first, "{page}");
    let next = page["pagination"]["next"].as_str().unwrap().to_owned();
    server.terminate();
    let (status, printed) = server.wait();
    assert!(status.success(), "{printed}");
    (next, printed)
}

#[test]
fn trap_14_a_cursor_survives_a_restart_without_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let database = numbers(folder.path());
    let before = std::fs::read(&database).unwrap();
    let state = folder.path().join("home/state");
    let (cursor, printed) = visit(&database, &state, None);
    let keys: Vec<PathBuf> = std::fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [key] = &keys[..] else {
        panic!("one key and nothing else: {keys:?}")
    };
    assert!(
        printed.contains(&format!("Key:     {}", key.display())),
        "{printed}"
    );
    let text = std::fs::read_to_string(key).unwrap();
    assert!(!printed.contains(text.trim()), "the key is never shown");
    let (_, again) = visit(&database, &state, Some(&cursor));
    assert!(!again.contains("warning"), "{again}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing lies beside the database"
    );
}

#[cfg(unix)]
#[test]
fn the_key_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    visit(&numbers(folder.path()), &state, None);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let mut keys = std::fs::read_dir(&state).unwrap();
    assert_eq!(mode(&keys.next().unwrap().unwrap().path()), 0o600);
}

#[test]
fn each_database_has_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let database = numbers(folder.path());
    let (cursor, _) = visit(&database, &state, None);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&database, &copy).unwrap();
    let server = Server::serve_url_with_state(&format!("sqlite:{}", copy.display()), &state);
    server
        .get(&format!("/api/number?cursor={cursor}"))
        .assert_problem(400, "invalid-cursor");
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 2);
}

#[test]
fn without_a_state_folder_cursors_end_with_the_process_and_the_start_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let database = numbers(folder.path());
    let state = database.join("state");
    let (cursor, printed) = visit(&database, &state, None);
    assert!(
        printed.contains("warning: cursors and login tokens end with this process"),
        "{printed}"
    );
    assert!(printed.contains("PACELINE_STATE_DIR"), "{printed}");
    let server = Server::serve_url_with_state(&format!("sqlite:{}", database.display()), &state);
    server
        .get(&format!("/api/number?cursor={cursor}"))
        .assert_problem(400, "invalid-cursor");
}

#[test]
fn a_secret_that_is_too_short_is_refused_by_name_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("a.db");
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        .unwrap();
    let config = folder.path().join("paceline.toml");
    std::fs::write(&config, "[database]\nurl = \"sqlite:a.db\"\n").unwrap();
    let (config, url) = (
        config.display().to_string(),
        format!("sqlite:{}", database.display()),
    );
    for arguments in [
        &["serve", "--config", &config, "--listen", "127.0.0.1:0"][..],
        &["serve", &url, "--listen", "127.0.0.1:0"],
        &["check", "--config", &config],
    ] {
        let output = Command::new(BINARY)
            .args(arguments)
            .env("PACELINE_SECRET", "hunter2")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        for expected in ["PACELINE_SECRET", "too short", "at least 32 characters"] {
            assert!(told.contains(expected), "{arguments:?}: {told}");
        }
        assert!(!told.contains("hunter2"), "{arguments:?}: {told}");
    }
    assert!(
        !folder.path().join("state").exists(),
        "no key is made instead"
    );
}
