//! cargo-lambda's emulator: function URLs and streams. Its deadline is the number 600000.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::emulator::{Running, agent, free_port, function, installed};
use crate::function::{NAME, PAUSE};

struct CargoLambda {
    _emulator: Running,
    _function: Running,
    _folder: tempfile::TempDir,
    url: String,
}

impl CargoLambda {
    /// The emulator wants a package with the function in it, and starts nothing; the function is started beside it.
    fn start(streaming: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = "[package]\nname = \"function\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::create_dir(folder.path().join("src")).expect("a folder");
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
        std::fs::write(folder.path().join("src/main.rs"), "fn main() {}\n").expect("a file");
        let port = free_port();
        let mut command = Command::new(installed("PACELINE_CARGO_LAMBDA"));
        command
            .args(["lambda", "watch", "--only-lambda-apis", "--offline"])
            .args(["-A", "127.0.0.1", "-P", &port.to_string()])
            .current_dir(folder.path());
        let mut emulator = Running::start(&mut command);
        emulator.listens_on(port);
        let mut command = Command::new(function());
        command
            .args(["--exact", NAME, "--nocapture"])
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                format!("127.0.0.1:{port}/.rt/function"),
            )
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("PACELINE_LAMBDA_STREAMING", streaming);
        Self {
            _emulator: emulator,
            _function: Running::start(&mut command),
            _folder: folder,
            url: format!("http://127.0.0.1:{port}/lambda-url/function"),
        }
    }
}

#[test]
fn a_function_url_hands_path_query_and_cookies_on() {
    for streaming in ["false", "true"] {
        let emulator = CargoLambda::start(streaming);
        let answer = agent()
            .post(format!("{}/a%20b/c?x=%20+1&x=2&y", emulator.url))
            .header("cookie", "a=1; b=2")
            .content_type("application/octet-stream")
            .send(&b"bytes"[..]);
        let mut answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{streaming}");
        let told: Value =
            serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
        assert_eq!(told["target"], "/a%20b/c?x=%20+1&x=2&y");
        assert_eq!(
            (&told["method"], &told["cookie"]),
            (&json!("POST"), &json!("a=1; b=2"))
        );
        assert_eq!(
            (&told["client"], &told["body"]),
            (&json!("127.0.0.1"), &json!("bytes"))
        );
        let panicked = agent().get(format!("{}/panic", emulator.url)).call();
        assert_eq!(panicked.expect("an answer").status(), 500);
    }
}

#[test]
fn the_first_piece_arrives_before_the_last_is_made() {
    let emulator = CargoLambda::start("true");
    let answer = agent()
        .get(format!("{}/stream", emulator.url))
        .call()
        .expect("an answer");
    let mut body = BufReader::new(answer.into_body().into_reader());
    let mut first = String::new();
    body.read_line(&mut first).expect("a line");
    let between = Instant::now();
    let mut rest = String::new();
    body.read_to_string(&mut rest).expect("text");
    assert_eq!((&*first, &*rest), ("first\n", "second\n"));
    let waited = between.elapsed();
    assert!(waited >= PAUSE / 2, "both came at once: {waited:?}");
    assert!(waited < Duration::from_secs(20));
}
