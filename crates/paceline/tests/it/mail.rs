//! `POST /send-email`: durable before it is answered, delivered once the worker gets to it.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Answer;
use crate::server::{Server, copy_of_the_shop, shared_demo};

fn send(server: &Server, headers: &[&str], subject: &str) -> Answer {
    let body = json!({"to": "ada@example.com", "subject": subject, "body": "Hello"}).to_string();
    server.send_json("POST", "/send-email", headers, &body)
}

/// Asks for the job until it is in a final state.
fn settled(server: &Server, location: &str) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let job = server.get(location);
        assert_eq!(job.status, 200, "{}", job.text());
        let job = job.json();
        if job["state"] == "completed" || job["state"] == "failed" {
            return job;
        }
        assert!(Instant::now() < deadline, "{job}");
        std::thread::yield_now();
    }
}

/// The subjects of all mails in a maildir.
fn subjects(maildir: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(maildir.join("new")) else {
        return Vec::new();
    };
    let subject = |file: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("Subject: "))
            .expect("a subject");
        line["Subject: ".len()..].to_owned()
    };
    files.map(subject).collect()
}

#[test]
fn a_mail_is_queued_answered_and_delivered() {
    let server = Server::demo(&[]);
    let answer = send(&server, &[], "first");
    assert_eq!(answer.status, 202, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["message"], "Email queued");
    assert_eq!(body["job"]["queue"], "emails");
    let location = answer.header("location").to_owned();
    assert_eq!(
        location,
        format!("/api/jobs/emails/{}", body["job"]["id"].as_str().unwrap())
    );
    let job = settled(&server, &location);
    assert_eq!(job["state"], "completed");
    assert_eq!(subjects(&server.dir.join("mail")), ["first"]);
}

#[test]
fn an_idempotency_key_repeats_the_job_and_refuses_another_body() {
    let server = Server::demo(&[]);
    let key = ["Idempotency-Key: order-17"];
    let first = send(&server, &key, "once");
    let again = send(&server, &key, "once");
    assert_eq!(again.status, 202);
    assert_eq!(first.json()["job"], again.json()["job"]);
    assert_eq!(send(&server, &key, "twice").status, 422);
    settled(&server, first.header("location"));
    assert_eq!(subjects(&server.dir.join("mail")), ["once"]);
}

#[test]
fn a_mail_that_cannot_be_sent_is_refused_before_it_is_queued() {
    let server = shared_demo();
    let answer = server.send_json(
        "POST",
        "/send-email",
        &[],
        r#"{"to":"a@b.example\nBcc: c@d.example"}"#,
    );
    let problem = answer.assert_problem(422, "invalid-body");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
    assert_eq!(server.get("/api/jobs/emails/nothing").status, 404);
    assert_eq!(server.get("/api/jobs/nothing/nothing").status, 404);
}

/// The SMTP path, against a real SMTP server: `cargo xtask test` installs one and says where it is.
#[test]
fn a_mail_is_handed_to_an_smtp_server() {
    let Some(program) = std::env::var_os("PACELINE_AIOSMTPD") else {
        println!(
            "skipped: PACELINE_AIOSMTPD does not name an SMTP server; cargo xtask test sets it"
        );
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut smtp = std::process::Command::new(program)
        .args(["-n", "-c", "aiosmtpd.handlers.Debugging", "stdout"])
        .args(["-l", &format!("127.0.0.1:{port}")])
        .env("PYTHONUNBUFFERED", "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let folder = copy_of_the_shop();
    let config = format!(
        "[database]\nurl = \"sqlite:shop.db\"\n[jobs]\nurl = \"sqlite:mails.db\"\n[resources.products]\n\
         [email]\nfrom = \"Shop <shop@example.com>\"\ndeliver = \"smtp://127.0.0.1:{port}\"\n\
         anonymous = true\nattempts = 20\nbackoff = \"200ms\"\n"
    );
    let server = Server::serve(&config, folder);
    let answer = send(&server, &[], "Grüße");
    assert_eq!(answer.status, 202, "{}", answer.text());
    let job = settled(&server, answer.header("location"));
    smtp.kill().unwrap();
    let received = std::io::read_to_string(smtp.stdout.take().unwrap()).unwrap();
    smtp.wait().unwrap();
    assert_eq!(job["state"], "completed", "{job}");
    assert!(job["result"].as_str().unwrap().contains("250"), "{job}");
    assert!(received.contains("To: ada@example.com"), "{received}");
    assert!(
        received.contains("From: Shop <shop@example.com>")
            || received.contains("From: \"Shop\" <shop@example.com>"),
        "{received}"
    );
}

/// Every acknowledged mail is delivered although the server is killed at a random point, 200 times.
/// The maildir names files after jobs, so a repeated delivery cannot hide a lost one.
#[test]
fn two_hundred_kills_lose_no_acknowledged_mail() {
    let folder = copy_of_the_shop();
    let dir = folder.path().to_owned();
    let mut acknowledged = HashSet::new();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..200 {
        let server = Server::demo_in(dir.clone(), None, &[]);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let before_kill = Duration::from_micros(random % 30_000);
        let id = server.id();
        let killer = std::thread::spawn(move || {
            std::thread::park_timeout(before_kill);
            std::process::Command::new("kill")
                .args(["-9", &id.to_string()])
                .status()
        });
        let mut number = 0;
        while let Some(subject) = try_send(&server.base, round, number) {
            acknowledged.insert(subject);
            number += 1;
        }
        assert!(killer.join().unwrap().expect("kill runs").success());
        server.wait();
    }
    assert!(
        acknowledged.len() >= 200,
        "only {} mails were acknowledged",
        acknowledged.len()
    );
    let server = Server::demo_in(dir.clone(), Some(folder), &[]);
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let delivered: HashSet<String> = subjects(&dir.join("mail")).into_iter().collect();
        let missing: Vec<_> = acknowledged.difference(&delivered).collect();
        if missing.is_empty() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{} lost of {}: {missing:?}",
            missing.len(),
            acknowledged.len()
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
    drop(server);
}

/// Sends one mail; `None` once the server is gone.
fn try_send(base: &str, round: usize, number: usize) -> Option<String> {
    let subject = format!("r{round}-n{number}");
    let body = json!({"to": "ada@example.com", "subject": subject, "body": ""}).to_string();
    let request = ureq::http::Request::post(format!("{base}/send-email"))
        .header("Content-Type", "application/json");
    let answer = ureq::Agent::new_with_defaults()
        .run(request.body(body).unwrap())
        .ok()?;
    (answer.status() == 202).then_some(subject)
}
