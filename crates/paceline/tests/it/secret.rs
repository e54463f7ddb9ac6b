//! Where the secret comes from, and what happens when it is not one.

use std::process::Command;

use crate::server::BINARY;

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
