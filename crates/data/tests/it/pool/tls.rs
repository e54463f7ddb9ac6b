//! Encrypted connections to a real server, with certificates of the test's own authority.

use std::path::Path;

use paceline_data::postgres::connect::{Address, PostgresManager};
use paceline_test_servers::{Authority, Postgres};

use super::{PgPool, ask, pool, soon, with_causes};

struct Secure {
    authority: Authority,
    cluster: Postgres,
}

impl Secure {
    fn start() -> Self {
        let authority = Authority::new();
        let cluster = Postgres::start_with_tls(&authority);
        Self { authority, cluster }
    }

    /// By the name that the certificate is for, or by the address that it is not for.
    fn url(&self, host: &str, parameters: &str) -> String {
        let url = self.cluster.url("postgres").replacen("127.0.0.1", host, 1);
        format!("{url}?{parameters}")
    }

    fn with_ca(&self, host: &str, file: &Path) -> String {
        self.url(host, &format!("ca_file={}", file.display()))
    }
}

async fn is_encrypted(pool: &PgPool) -> String {
    let statement =
        "SELECT ssl::text FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
    ask(pool, statement).await.unwrap()
}

async fn refusal(url: &str) -> String {
    let error = pool(url, 1).acquire(soon()).await.unwrap_err();
    assert_eq!(pool(url, 1).statistics().occupancy.in_use, 0);
    with_causes(&error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_checked_by_its_authority_and_name() {
    let secure = Secure::start();
    let ca = secure.authority.ca();
    let pool_of = |parameters: &str| {
        pool(
            &format!("{}&{parameters}", secure.with_ca("localhost", &ca)),
            1,
        )
    };
    assert_eq!(is_encrypted(&pool_of("sslmode=verify-full")).await, "true");
    // SCRAM is bound to the channel, as Neon's addresses ask for.
    assert_eq!(
        is_encrypted(&pool_of("channel_binding=require")).await,
        "true"
    );
    for (url, part) in [
        (secure.with_ca("127.0.0.1", &ca), "for another host"),
        (
            secure.with_ca("localhost", &secure.authority.other()),
            "name the file with the certificate",
        ),
        (
            secure.url("localhost", "sslmode=require"),
            "name the file with the certificate",
        ),
    ] {
        let error = refusal(&url).await;
        assert!(
            error.contains("(1 attempt)"),
            "a bad certificate stays bad: {error}"
        );
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_checked_only_when_that_is_asked_for() {
    let secure = Secure::start();
    assert_eq!(
        is_encrypted(&pool(&secure.url("127.0.0.1", "insecure=true"), 1)).await,
        "true"
    );
    assert_eq!(
        is_encrypted(&pool(&secure.url("127.0.0.1", "sslmode=disable"), 1)).await,
        "false"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_not_spoken_to_in_plain_text() {
    let cluster = Postgres::shared();
    let authority = Authority::new();
    let url = format!(
        "{}?ca_file={}",
        cluster.url("postgres"),
        authority.ca().display()
    );
    let error = refusal(&url).await;
    assert!(
        error.contains("the server takes no TLS: sslmode=disable"),
        "{error}"
    );
}

#[test]
fn files_of_authorities_are_read_at_the_start() {
    let authority = Authority::new();
    let key = authority.ca().with_file_name("ca.key");
    for (file, part) in [
        (Path::new("/nowhere/ca.pem"), "cannot be read as PEM"),
        (&key, "holds no certificate"),
    ] {
        let url = format!("postgres://h/d?ca_file={}", file.display());
        let error = PostgresManager::new(url.parse::<Address>().unwrap()).unwrap_err();
        assert!(
            with_causes(&error).contains(part),
            "{}",
            with_causes(&error)
        );
    }
}
