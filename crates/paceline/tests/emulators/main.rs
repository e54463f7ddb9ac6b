//! The binary as a function: under AWS's own emulator and cargo-lambda's, which `cargo xtask test lambda` installs.

#[allow(dead_code, reason = "the tests of paceline-serverless use more of it")]
#[path = "../../../serverless/tests/emulators/emulator.rs"]
mod emulator;

use std::io::Read;
use std::process::{Command, Output};
use std::time::Instant;

use emulator::{Running, agent, ask, free_port, get, installed};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_paceline");

/// AWS's emulator, and the port that it is asked on.
fn rie(arguments: &[&str]) -> (Running, u16) {
    let (port, api) = (free_port(), free_port());
    let mut command = Command::new(installed("PACELINE_RIE"));
    command
        .args([
            "--runtime-interface-emulator-address",
            &format!("127.0.0.1:{port}"),
        ])
        .args(["--runtime-api-address", &format!("127.0.0.1:{api}")])
        .arg(BINARY)
        .args(arguments)
        .env_remove("PACELINE_SECRET");
    let mut running = Running::start(&mut command);
    running.listens_on(port);
    (running, port)
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = folder
        .path()
        .join("shop")
        .to_str()
        .expect("text")
        .to_owned();
    (folder, shop)
}

fn body(answer: &Value) -> Value {
    let text = answer["body"]
        .as_str()
        .unwrap_or_else(|| panic!("no body: {answer}"));
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

#[test]
fn the_demo_answers_events() {
    let (_folder, shop) = folder();
    let (mut running, port) = rie(&["demo", "--dir", &shop]);
    let mut page = get("/api/posts");
    page["rawQueryString"] = json!("page=2&limit=50");
    let answer = ask(port, &page);
    assert_eq!(answer["statusCode"], 200, "{answer}\n{}", running.log());
    assert_eq!(body(&answer)["data"].as_array().map(Vec::len), Some(50));
    let tag = answer["headers"]["etag"].clone();
    page["headers"] = json!({"host": "abc.lambda-url.eu-west-1.on.aws", "if-none-match": tag});
    assert_eq!(ask(port, &page)["statusCode"], 304);
    page["headers"] = json!({"host": "api.example", "accept-encoding": "gzip"});
    let coded = ask(port, &page);
    assert_eq!(
        (
            &coded["headers"]["content-encoding"],
            &coded["isBase64Encoded"]
        ),
        (&json!("gzip"), &json!(true))
    );
    // A million bytes and more of rows do not fit into one answer.
    let export = ask(port, &get("/api/export/posts"));
    assert_eq!(export["statusCode"], 413, "{}", export["headers"]);
    assert_eq!(body(&export)["code"], "response-too-large");
    let mut mail = get("/send-email");
    mail["requestContext"]["http"]["method"] = json!("POST");
    mail["headers"] = json!({"host": "api.example", "content-type": "application/json"});
    mail["body"] = json!(r#"{"to":"ada@example.com","subject":"Hi","body":"Hello"}"#);
    let queued = ask(port, &mail);
    assert_eq!(
        (&queued["statusCode"], &body(&queued)["durable"]),
        (&json!(202), &json!(false))
    );
    assert_eq!(
        ask(port, &json!({"paceline": "warm-up"})),
        json!({"statusCode": 200, "body": "warm"})
    );
    let log = running.log();
    for code in [
        "lambda-embedded-jobs",
        "lambda-memory-limits",
        "lambda-own-secret",
    ] {
        assert!(log.contains(code), "{code}: {log}");
    }
    assert!(log.contains("\"is_pinged\":true"), "{log}");
}

#[test]
fn a_schedule_becomes_a_job_once() {
    let (_folder, shop) = folder();
    let (_running, port) = rie(&["demo", "--dir", &shop]);
    let event = json!({
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "source": "aws.events", "detail-type": "Scheduled Event",
        "resources": ["arn:aws:events:eu-west-1:1:rule/nightly-report"], "detail": {}
    });
    for _ in 0..2 {
        let told = ask(port, &event);
        assert_eq!(
            told,
            json!({"queue": "lambda-events", "job": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"})
        );
    }
    let store = format!("sqlite:{shop}/jobs.db");
    let listed = Command::new(BINARY)
        .args(["jobs", "list", "lambda-events", "--json", "--url", &store])
        .output()
        .expect("it runs");
    let jobs: Value = serde_json::from_slice(&listed.stdout).expect("a list");
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
    assert_eq!(
        (&jobs[0]["name"], &jobs[0]["data"]),
        (&json!("nightly-report"), &event)
    );
}

#[test]
fn an_export_is_streamed() {
    let (folder, shop) = folder();
    let package = folder.path().join("package");
    std::fs::create_dir_all(package.join("src")).expect("a folder");
    let manifest =
        "[package]\nname = \"function\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(package.join("Cargo.toml"), manifest).expect("a file");
    std::fs::write(package.join("src/main.rs"), "fn main() {}\n").expect("a file");
    let port = free_port();
    let mut command = Command::new(installed("PACELINE_CARGO_LAMBDA"));
    command
        .args(["lambda", "watch", "--only-lambda-apis", "--offline"])
        .args(["-A", "127.0.0.1", "-P", &port.to_string()])
        .current_dir(&package);
    let mut emulator = Running::start(&mut command);
    emulator.listens_on(port);
    let mut command = Command::new(BINARY);
    command
        .args(["demo", "--dir", &shop])
        .env(
            "AWS_LAMBDA_RUNTIME_API",
            format!("127.0.0.1:{port}/.rt/function"),
        )
        .env("PACELINE_LAMBDA_STREAMING", "true");
    let mut function = Running::start(&mut command);
    let begun = Instant::now();
    let url = format!("http://127.0.0.1:{port}/lambda-url/function/api/export/posts");
    let answer = agent().get(url).call().expect("an answer");
    assert_eq!(answer.status(), 200, "{}", function.log());
    let mut reader = answer.into_body().into_reader();
    let mut first = [0; 1];
    reader.read_exact(&mut first).expect("a byte");
    let (until_first, mut rest) = (begun.elapsed(), Vec::new());
    reader.read_to_end(&mut rest).expect("all of it");
    assert!(rest.len() > 6 * 1024 * 1024, "{} bytes", rest.len());
    println!(
        "first byte after {until_first:?}, {} bytes after {:?}",
        rest.len(),
        begun.elapsed()
    );
}

/// What the binary says when it is started as a function that nobody runs.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = Command::new(BINARY)
        .args(arguments)
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
        .env_remove("PACELINE_SECRET")
        .output()
        .expect("it runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn what_goes_with_the_process_is_refused_by_its_code() {
    let (folder, _) = folder();
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let database = "[database]\nurl = \"sqlite:paceline.db\"\n";
    for (more, code) in [
        ("[jobs]\nurl = \"sqlite:jobs.db\"\n", "lambda-embedded-jobs"),
        (
            "[[limits]]\nname = \"api\"\npath = \"/api/\"\nmax = 5\nwindow = \"1m\"\n",
            "lambda-memory-limits",
        ),
    ] {
        let config = path("config.toml");
        std::fs::write(&config, format!("{database}{more}")).expect("a file");
        let (status, told) = refused(&["serve", "--config", &config]);
        assert_eq!(status, Some(2), "{told}");
        assert!(told.contains(code), "{told}");
    }
    let (status, told) = refused(&[
        "jobs",
        "work",
        "mails",
        "--url",
        "sqlite:jobs.db",
        "--http",
        "http://127.0.0.1:1/",
    ]);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("lambda-embedded-jobs"), "{told}");
}
