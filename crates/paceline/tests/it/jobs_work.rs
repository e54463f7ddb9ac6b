//! `paceline jobs work` and `[[workers]]`: jobs delivered to a real HTTP server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use crate::hook::{Delivery, Hook, Reply};
use crate::server::{BINARY, Server, copy_of_the_shop};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn store() -> (PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (folder.path().join("jobs.db"), folder)
}

fn command(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .arg("jobs")
        .args(arguments)
        .arg("--url")
        .arg(format!("sqlite:{}", store.display()))
        .env("HOOK_SECRET", SECRET)
        .stdin(Stdio::null());
    command
}

#[track_caller]
fn printed(store: &Path, arguments: &[&str]) -> String {
    let output = command(store, arguments).output().unwrap();
    let error = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Adds a job and gives its id.
#[track_caller]
fn add(store: &Path, name: &str, payload: &str, more: &[&str]) -> String {
    let arguments = [&["add", "q", name, payload, "--json"], more].concat();
    let added: Value = serde_json::from_str(&printed(store, &arguments)).unwrap();
    added["id"].as_str().unwrap().to_owned()
}

fn show(store: &Path, id: &str) -> Value {
    serde_json::from_str(&printed(store, &["show", "q", id, "--json"])).unwrap()
}

/// Works the queue off.
#[track_caller]
fn work_off(store: &Path, target: &str, more: &[&str]) -> Output {
    let arguments = [
        &[
            "work",
            "q",
            "--http",
            target,
            "--until-empty",
            "--max-time",
            "60s",
        ],
        more,
    ]
    .concat();
    command(store, &arguments).output().unwrap()
}

#[test]
fn a_job_is_delivered_byte_for_byte_and_signed() {
    let (store, _folder) = store();
    let hook = Hook::start(|_| Reply::status(200).body(r#"{"seen": 1.50}"#));
    let payload = r#"{"b" : 1.50,"a":["é", 9007199254740993]}"#;
    let id = add(&store, "order \"paid\"", payload, &[]);
    let output = work_off(&store, &hook.url, &["--secret-env", "HOOK_SECRET"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 delivered"));
    let delivery = hook.next();
    let body = text(&delivery.body);
    assert!(
        body.starts_with(r#"{"type":"order \"paid\"","timestamp":"2"#)
            && body.ends_with(&format!(r#"Z","data":{payload}}}"#)),
        "{body}"
    );
    assert_eq!(delivery.header("content-type"), "application/json");
    assert_eq!(delivery.header("webhook-id"), id);
    let stamp = delivery.header("webhook-timestamp");
    let signed = format!("{id}.{stamp}.{body}");
    let key = STANDARD.decode(&SECRET["whsec_".len()..]).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(delivery.header("webhook-signature"), expected);
    let job = show(&store, &id);
    assert_eq!(job["state"], "completed");
    assert_eq!(job["result"], json!({"status": 200, "body": {"seen": 1.5}}));
}

#[test]
fn what_an_answer_means_for_the_job() {
    let (store, _folder) = store();
    let hook = Hook::start(|delivery| match delivery.json()["type"].as_str().unwrap() {
        "gone" => Reply::status(410),
        "moved" => Reply::status(307).header("location", "/elsewhere"),
        "late" => Reply::status(200).after(Duration::from_secs(30)),
        "refused" => Reply::status(422).body("no such customer"),
        _ => Reply::status(204),
    });
    let ids = ["gone", "moved", "late", "refused", "fine"]
        .map(|name| (name, add(&store, name, "1", &["--attempts", "2"])));
    let output = work_off(&store, &hook.url, &["--timeout", "300ms"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (name, id) in &ids {
        let job = show(&store, id);
        let (state, attempts, why) = match *name {
            "gone" => ("failed", 1, "410 Gone"),
            "moved" => ("failed", 2, "redirects are not followed"),
            "late" => ("failed", 2, "did not answer within 300ms"),
            "refused" => ("failed", 2, "no such customer"),
            _ => ("completed", 1, ""),
        };
        assert_eq!(job["state"], state, "{job}");
        let attempts_made = &job["attempts_made"];
        assert!(*attempts_made == attempts || state == "completed", "{job}");
        let reason = job["failed_reason"].as_str().unwrap_or_default();
        assert!(reason.contains(why), "{name}: {reason}");
    }
    assert_eq!(
        hook.rest().len(),
        8,
        "410 is not tried again, no redirect is followed"
    );
}

#[test]
fn a_target_that_asks_to_wait_costs_no_attempt() {
    let (store, _folder) = store();
    let asked = AtomicU32::new(0);
    let hook = Hook::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(429).header("retry-after", "1"),
        1 => Reply::status(503).header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        _ => Reply::status(200),
    });
    let id = add(&store, "n", "1", &[]);
    let began = Instant::now();
    let output = work_off(&store, &hook.url, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(began.elapsed() >= Duration::from_secs(2), "it waited twice");
    let job = show(&store, &id);
    assert_eq!(
        (&job["state"], &job["starts"]),
        (&json!("completed"), &json!(3))
    );
    assert_eq!(job["max_attempts"], 1);
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused_unless_allowed() {
    let (store, _folder) = store();
    let hook = Hook::start(|_| Reply::status(200));
    // Not an address to whoever reads it, and 127.0.0.1 to whoever resolves it.
    let hidden = format!("http://127.1:{}/hook", hook.port);
    let id = add(&store, "n", "1", &[]);
    work_off(&store, &hidden, &[]);
    let job = show(&store, &id);
    assert_eq!(job["state"], "failed");
    let why = job["failed_reason"].as_str().unwrap();
    assert!(
        why.contains("127.0.0.1 is not an address of the public internet"),
        "{why}"
    );
    assert!(hook.rest().is_empty());
    printed(&store, &["retry", "q", &id]);
    work_off(&store, &hidden, &["--allow-private"]);
    assert_eq!(show(&store, &id)["state"], "completed");
}

#[test]
fn wrong_words_are_refused_before_any_job_is_touched() {
    let (store, _folder) = store();
    let id = add(&store, "n", "1", &[]);
    for (arguments, expected) in [
        (&["--http", "example.com"][..], "expected a URL"),
        (&["--http", "https://u:p@example.com"], "user and password"),
        (
            &["--http", "http://127.0.0.1:1", "--concurrency", "0"],
            "from 1",
        ),
        (
            &[
                "--http",
                "http://127.0.0.1:1",
                "--secret-env",
                "NOT_SET_HERE",
            ],
            "NOT_SET_HERE",
        ),
        (
            &["--http", "http://127.0.0.1:1", "--secret-env", "PATH"],
            "whsec_",
        ),
    ] {
        let arguments = [&["work", "q"], arguments].concat();
        let output = command(&store, &arguments).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert!(!told.contains("/bin"), "a value is not shown: {told}");
    }
    assert_eq!(show(&store, &id)["starts"], 0);
}

#[test]
fn a_paused_queue_is_not_waited_for() {
    let (store, _folder) = store();
    add(&store, "n", "1", &[]);
    printed(&store, &["pause", "q"]);
    let output = work_off(&store, "http://127.0.0.1:1/", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("paceline jobs resume q"));
}

/// A target under TLS, with the certificate of `tls/`; answers 204 to everything. Gives its port.
fn secure_target() -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/localhost.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/localhost.key"));
    let settings = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key.unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = TlsAcceptor::from(std::sync::Arc::new(settings));
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust the certificate goes away.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                    .await;
                let _ = stream.shutdown().await;
            }
        });
    });
    port
}

#[test]
fn an_https_target_is_checked_by_the_root_certificates_of_the_machine() {
    let (store, _folder) = store();
    let target = format!("https://localhost:{}/", secure_target());
    let roots = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem");
    let id = add(&store, "n", "1", &[]);
    let arguments = [
        "work",
        "q",
        "--http",
        &target,
        "--until-empty",
        "--max-time",
        "60s",
    ];
    let output = command(&store, &arguments)
        .env("SSL_CERT_FILE", roots)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        show(&store, &id)["state"],
        "completed",
        "{}",
        show(&store, &id)
    );
    // Another authority did not sign it.
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/localhost.pem");
    let id = add(&store, "n", "1", &[]);
    command(&store, &arguments)
        .env("SSL_CERT_FILE", other)
        .output()
        .unwrap();
    let job = show(&store, &id);
    assert_eq!(job["state"], "failed");
    let why = job["failed_reason"].as_str().unwrap();
    assert!(why.contains("no secure connection to localhost"), "{why}");
}

fn start(store: &Path, target: &str, more: &[&str]) -> Child {
    let arguments = [&["work", "q", "--http", target], more].concat();
    command(store, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn terminate(child: &Child) {
    let status = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn sigterm_lets_a_delivery_end_and_says_what_was_done_as_json() {
    let (store, _folder) = store();
    let hook = Hook::start(|_| Reply::status(200).after(Duration::from_millis(500)));
    let id = add(&store, "n", "1", &[]);
    let child = start(&store, &hook.url, &["--json"]);
    hook.next();
    terminate(&child);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["end"], &summary["delivered"]),
        (&json!("asked to stop"), &json!(1))
    );
    assert_eq!(show(&store, &id)["state"], "completed");
    let logs = text(&output.stderr);
    let delivered = logs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let delivered = delivered.filter(|line| line["fields"]["message"] == "delivered");
    assert_eq!(delivered.count(), 1, "{logs}");
}

#[test]
fn a_second_signal_ends_at_once_and_the_job_is_delivered_again() {
    let (store, _folder) = store();
    let hook = Hook::start(|_| Reply::status(200).after(Duration::from_secs(2)));
    let id = add(&store, "n", "1", &[]);
    let mut child = start(&store, &hook.url, &["--grace", "1h"]);
    hook.next();
    terminate(&child);
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(30));
        terminate(&child);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let output = work_off(&store, &hook.url, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(show(&store, &id)["state"], "completed");
    assert_eq!(hook.next().header("webhook-id"), id);
}

#[test]
fn workers_of_a_configuration_deliver_while_the_server_runs() {
    let hook = Hook::start(|_| Reply::status(200));
    let folder = copy_of_the_shop();
    let config = format!(
        "[database]\nurl = \"sqlite:shop.db\"\n[jobs]\nurl = \"sqlite:work.db\"\n[resources.products]\n\
         [[workers]]\nqueue = \"q\"\nhttp = \"{}\"\nallow_private = true\nsecret = \"{SECRET}\"\n",
        hook.url
    );
    let path = folder.path().join("paceline.toml");
    std::fs::write(&path, config).unwrap();
    let mut check = Command::new(BINARY);
    let checked = check
        .args(["check", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let told = text(&checked.stdout);
    let worker = format!("jobs of q: to {}, 4 at a time, 30s each, signed", hook.url);
    assert!(told.contains(&worker), "{told}");
    assert!(!told.contains(SECRET), "{told}");
    let server = Server::serve_folder(folder.path().to_owned(), None);
    let store = folder.path().join("work.db");
    let id = add(&store, "n", "{}", &[]);
    let delivery: Delivery = hook.next();
    assert_eq!(delivery.header("webhook-id"), id);
    assert!(delivery.header("webhook-signature").starts_with("v1,"));
    server.terminate();
    assert!(server.wait().0.success());
    assert_eq!(show(&store, &id)["state"], "completed");
}

#[test]
fn a_private_target_in_a_configuration_is_a_mistake_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paceline.toml");
    let config = "[database]\nurl = \"sqlite:shop.db\"\n[jobs]\nurl = \"sqlite:work.db\"\n\
                  [[workers]]\nqueue = \"q\"\nhttp = \"http://169.254.169.254/\"\n";
    std::fs::write(&path, config).unwrap();
    let output = Command::new(BINARY)
        .args(["check", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("paceline.toml:7:") && told.contains("allow_private"),
        "{told}"
    );
}
