//! Credentials of endpoints that rotate them, refuse and fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::source::CredentialSource;

/// An endpoint that answers what the function says to a request's head, and its number from 0.
struct Endpoint {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

type Answering = dyn Fn(&str, usize) -> (u16, String) + Send + Sync;

impl Endpoint {
    async fn start(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (noted, answer) = (Arc::clone(&heads), Arc::new(answer) as Arc<Answering>);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&noted)));
            }
        });
        Self { port, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The environment of a container with this endpoint, and what else is set.
    fn container(&self, others: &[(&'static str, &str)]) -> CredentialSource {
        let address = format!("http://127.0.0.1:{}/v1/credentials?a=b", self.port);
        let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.as_str());
        source(&[&[full], others].concat())
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<Answering>,
    heads: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(read).ok()?;
    let number = {
        let mut heads = heads.lock().unwrap();
        heads.push(head.clone());
        heads.len() - 1
    };
    let (status, body) = answer(&head, number);
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.ok()
}

fn source(variables: &[(&'static str, &str)]) -> CredentialSource {
    let owned = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let variables: HashMap<&str, String> = owned.collect();
    CredentialSource::of(move |name| variables.get(name).cloned())
}

/// Credentials that end in so many seconds.
fn lent(key_id: &str, seconds: i64) -> String {
    let ends = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!(
        r#"{{"AccessKeyId":"{key_id}","SecretAccessKey":"hunter2","Token":"a+b/c=","Expiration":"{ends}"}}"#
    )
}

async fn key_of(source: &CredentialSource) -> Result<String, String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let read = source.read(deadline).await;
    read.map(|credentials| credentials.key_id)
        .map_err(|error| told(&error))
}

fn told(error: &super::NoCredentials) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&next.to_string());
        cause = next.source();
    }
    assert!(!text.contains("hunter"), "{text}");
    text
}

#[tokio::test]
async fn a_container_is_asked_with_its_token_and_again_before_the_end() {
    let endpoint = Endpoint::start(|_, number| match number {
        0 => (200, lent("FIRST", 3600)),
        _ => (200, lent("LATER", 3600)),
    })
    .await;
    let variable = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer hunter3");
    let kept = endpoint.container(&[variable]);
    assert_eq!(key_of(&kept).await.as_deref(), Ok("FIRST"));
    // A clone shares what there is, and what is fresh is not asked for again.
    assert_eq!(key_of(&kept.clone()).await.as_deref(), Ok("FIRST"));
    let heads = endpoint.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(
        heads[0].starts_with("GET /v1/credentials?a=b HTTP/1.1\r\n"),
        "{heads:?}"
    );
    assert!(
        heads[0].contains("\r\nauthorization: Bearer hunter3\r\n"),
        "{heads:?}"
    );
    // The environment comes first.
    let given = [("AWS_ACCESS_KEY_ID", "OWN"), ("AWS_SECRET_ACCESS_KEY", "x")];
    assert_eq!(
        key_of(&endpoint.container(&given)).await.as_deref(),
        Ok("OWN")
    );
    assert_eq!(endpoint.heads().len(), 1);

    // Each lasts four minutes: too short to be kept. The token of a file is read anew.
    let endpoint = Endpoint::start(|_, number| (200, lent(&format!("KEY{number}"), 240))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let variables = [
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            file.to_str().unwrap(),
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-no-use"),
    ];
    let rotating = endpoint.container(&variables);
    for number in 0..3 {
        std::fs::write(&file, format!("token {number}\n")).unwrap();
        assert_eq!(key_of(&rotating).await, Ok(format!("KEY{number}")));
        let head = endpoint.heads().pop().unwrap();
        assert!(
            head.contains(&format!("\r\nauthorization: token {number}\r\n")),
            "{head}"
        );
    }
    // A file that is gone is told by its variable.
    std::fs::remove_file(&file).unwrap();
    let fresh = endpoint.container(&variables);
    let error = key_of(&fresh).await.unwrap_err();
    assert!(
        error.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        "{error}"
    );
}

#[tokio::test]
async fn credentials_are_used_to_their_end_where_no_others_are_to_be_had() {
    let endpoint = Endpoint::start(|_, number| match number {
        0 => (200, lent("ENDING", 120)),
        1 => (500, "hunter2".to_owned()),
        2 => (200, lent("OVER", -1)),
        _ => (404, String::new()),
    })
    .await;
    let source = endpoint.container(&[]);
    assert_eq!(key_of(&source).await.as_deref(), Ok("ENDING"));
    assert_eq!(
        key_of(&source).await.as_deref(),
        Ok("ENDING"),
        "the endpoint failed"
    );
    assert_eq!(key_of(&source).await.as_deref(), Ok("OVER"));
    // What is over is not used.
    let error = key_of(&source).await.unwrap_err();
    assert!(
        error.contains("127.0.0.1") && error.contains("404"),
        "{error}"
    );
    assert_eq!(endpoint.heads().len(), 4);
}

#[tokio::test]
async fn of_many_that_need_credentials_one_asks() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let endpoint = Endpoint::start(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        (200, lent("ONE", 3600))
    })
    .await;
    let source = endpoint.container(&[]);
    let all = (0..16).map(|_| key_of(&source));
    let found = futures_util::future::join_all(all).await;
    assert!(
        found.iter().all(|key| key.as_deref() == Ok("ONE")),
        "{found:?}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn waiting_for_an_endpoint_is_bounded() {
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/x", listener.local_addr().unwrap());
    let source = source(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.as_str())]);
    let began = Instant::now();
    let error = source
        .read(began + Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(error.may_pass(), "it is asked again while there is time");
    assert!(told(&error).contains("did not answer"));
    assert!(began.elapsed() < Duration::from_secs(3));
    let endpoint = Endpoint::start(|_, _| (200, "x".repeat(100_000))).await;
    let error = key_of(&endpoint.container(&[])).await.unwrap_err();
    assert!(error.contains("larger than 65536 bytes"), "{error}");
}

#[tokio::test]
async fn a_machine_is_asked_with_a_session_and_only_where_it_may_be() {
    let endpoint = Endpoint::start(|head, _| {
        let has_session = head.contains("\r\nx-aws-ec2-metadata-token: of-the-session\r\n");
        match head.split_once(" HTTP").map(|(line, _)| line) {
            Some("PUT /latest/api/token")
                if head.contains("\r\nx-aws-ec2-metadata-token-ttl-seconds: 300\r\n") =>
            {
                (200, "of-the-session".to_owned())
            }
            Some("GET /latest/meta-data/iam/security-credentials/") if has_session => {
                (200, "app-role".to_owned())
            }
            Some("GET /latest/meta-data/iam/security-credentials/app-role") if has_session => {
                (200, lent("OF-THE-ROLE", 3600))
            }
            _ => (401, String::new()),
        }
    })
    .await;
    let address = format!("http://127.0.0.1:{}/", endpoint.port);
    let service = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", address.as_str());
    let machine = source(&[service]);
    for _ in 0..2 {
        assert_eq!(key_of(&machine).await.as_deref(), Ok("OF-THE-ROLE"));
    }
    assert_eq!(endpoint.heads().len(), 3);
    let disabled = source(&[service, ("AWS_EC2_METADATA_DISABLED", "TRUE")]);
    let error = key_of(&disabled).await.unwrap_err();
    assert!(
        error.contains("AWS_ACCESS_KEY_ID") && error.contains("AWS_EC2_METADATA_DISABLED"),
        "{error}"
    );
    assert_eq!(endpoint.heads().len(), 3);
}

#[test]
fn the_region_is_in_the_hosts_name_or_the_environment() {
    let given = source(&[("AWS_REGION", "us-east-1")]);
    for (host, expected) in [
        ("shop.abc123.eu-central-1.rds.amazonaws.com", "eu-central-1"),
        ("p.proxy-abc.cn-north-1.rds.amazonaws.com.cn", "cn-north-1"),
        ("db.example.com", "us-east-1"),
        ("rds.amazonaws.com", "us-east-1"),
    ] {
        assert_eq!(given.region(host).unwrap(), expected, "{host}");
    }
    let empty = CredentialSource::of(|_| Some(String::new()));
    let error = empty.region("db.example.com").unwrap_err();
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
}

#[tokio::test]
async fn half_a_pair_is_told_by_the_half_that_is_missing() {
    let error = key_of(&source(&[("AWS_ACCESS_KEY_ID", "A")]))
        .await
        .unwrap_err();
    assert!(
        error.contains("AWS_SECRET_ACCESS_KEY is not set"),
        "{error}"
    );
    let error = key_of(&source(&[("AWS_SECRET_ACCESS_KEY", "hunter2")]))
        .await
        .unwrap_err();
    assert!(error.contains("AWS_ACCESS_KEY_ID is not set"), "{error}");
}
