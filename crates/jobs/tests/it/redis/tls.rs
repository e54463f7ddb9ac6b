//! Encrypted connections to a real server, with certificates of the test's own authority.

use std::path::Path;

use paceline_jobs::{EngineHandle, Job, JobError, Queue, RedisOptions, Shutdown, State, Worker};
use paceline_test_servers::Authority;

use super::running::with_causes;
use super::server::{Server, free_port};
use super::store::{connect, wait_for};
use crate::workbench::reaches;

/// A server that speaks TLS on a second port.
struct TlsServer {
    authority: Authority,
    port: u16,
    server: Server,
}

impl TlsServer {
    fn start(clients: &str) -> Self {
        let authority = Authority::new();
        let port = free_port();
        let file = |name: &str| authority.file(name).display().to_string();
        let server = Server::start_with(|_| {
            [
                ("--tls-port", port.to_string()),
                ("--tls-cert-file", file("server.pem")),
                ("--tls-key-file", file("server.key")),
                ("--tls-ca-cert-file", file("ca.pem")),
                ("--tls-auth-clients", clients.to_owned()),
            ]
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
        });
        Self {
            authority,
            port,
            server,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.port)
    }

    fn file(&self, name: &str) -> String {
        self.authority.file(name).display().to_string()
    }
}

fn refusal(url: &str) -> String {
    with_causes(&wait_for(RedisOptions::new(url).connect()).unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_go_over_an_encrypted_connection() {
    let tls = TlsServer::start("no");
    let options = RedisOptions::new(tls.url("localhost")).ca_file(tls.file("ca.pem"));
    let engine = connect(options);
    let handle = EngineHandle::from(&engine);
    let queue: Queue<u32> = Queue::new(&handle, "q").unwrap();
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    let id = queue.add("n", &1).await.unwrap().id;
    reaches(&queue, &id, State::Completed).await;
    worker.stop(std::time::Duration::ZERO).await;
    engine.stop(std::time::Duration::ZERO).await;
    let parameter = format!("{}?ca_file={}", tls.url("localhost"), tls.file("ca.pem"));
    connect(RedisOptions::new(parameter));
}

#[test]
fn a_server_that_cannot_prove_who_it_is_is_refused_with_what_to_do() {
    let tls = TlsServer::start("no");
    let with_ca = |host: &str, ca: &str| format!("{}?ca_file={}", tls.url(host), tls.file(ca));
    let missing = Path::new("/nowhere/ca.pem").display().to_string();
    for (url, part) in [
        (tls.url("localhost"), "signed by nobody who is trusted"),
        (
            with_ca("localhost", "other.pem"),
            "name the file with the certificate of its authority",
        ),
        (with_ca("127.0.0.1", "ca.pem"), "for another host"),
        (
            format!("{}?ca_file={missing}", tls.url("localhost")),
            "/nowhere/ca.pem cannot be read",
        ),
        (
            with_ca("localhost", "ca.key"),
            "ca.key holds no certificate",
        ),
        (
            format!("{}?ca_file={}", tls.server.url(), tls.file("ca.pem")),
            "write rediss://",
        ),
    ] {
        let error = refusal(&url);
        assert!(error.contains(part), "{url}: {error}");
    }
}

#[test]
fn nothing_is_checked_only_when_that_is_asked_for() {
    let tls = TlsServer::start("no");
    for behind in ["?insecure=true", "#insecure"] {
        connect(RedisOptions::new(format!(
            "{}{behind}",
            tls.url("127.0.0.1")
        )));
    }
    assert!(refusal(&format!("{}?insecure=false", tls.url("localhost"))).contains("trusted"));
    assert!(refusal(&format!("{}?insecure=yes", tls.url("localhost"))).contains("true or false"));
}

#[test]
fn a_server_that_wants_a_certificate_is_shown_one() {
    let tls = TlsServer::start("yes");
    let options = || RedisOptions::new(tls.url("localhost")).ca_file(tls.file("ca.pem"));
    let error = with_causes(&wait_for(options().connect()).unwrap_err());
    assert!(error.contains("cert_file, key_file"), "{error}");
    connect(options().client_certificate(tls.file("server.pem"), tls.file("server.key")));
}
