//! `paceline lambda`: what it writes, what it refuses, what it measures.

mod budget;
mod package;
mod template;

use std::path::Path;
use std::process::Command;

use crate::server::BINARY;

/// Exit code, standard output and standard error of `paceline lambda`, in `folder`.
fn lambda(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(BINARY)
        .arg("lambda")
        .args(arguments)
        .env("DATABASE_URL", "postgres://app:hunter2@db.example.com/shop")
        .env("PACELINE_LOG", "warn")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Refused as wrong usage, with all these parts in the message.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let (code, out, err) = lambda(folder, arguments);
    assert_eq!(code, 2, "{arguments:?}: {out}{err}");
    assert_eq!(out, "", "{arguments:?}");
    for part in parts {
        assert!(err.contains(part), "{arguments:?}: no {part:?} in {err}");
    }
}
