//! The client of databases over HTTP, on endpoints that fail: what is sent again, and what is not (trap 14).

pub(crate) mod gateway;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paceline_data::neon::{NeonClient, NeonError, NeonQuery};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What an endpoint does with a request that it has read.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Answers so.
    Answer(u16, &'static str),
    /// Closes the connection without a word.
    Close,
}

const ONE: Act = Act::Answer(
    200,
    r#"{"fields":[{"name":"one","dataTypeID":23}],"rows":[["1"]],"command":"SELECT","rowCount":1,"rowAsArray":true}"#,
);
const STARTING: Act = Act::Answer(
    400,
    r#"{"message":"the database system is starting up","code":"57P03"}"#,
);
const FULL: Act = Act::Answer(400, r#"{"message":"too many clients","code":"53300"}"#);
const DOWN: Act = Act::Answer(503, r#"{"message":"no compute"}"#);
const LARGE: Act = Act::Answer(507, r#"{"message":"response is too large"}"#);

/// An endpoint that does these one after the other, the last one for ever; counts what it read.
struct Endpoint {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn start(acts: &'static [Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acts, Arc::clone(&counted)));
            }
        });
        Self { port, requests }
    }

    fn client(&self) -> NeonClient {
        let address = format!("neon+http://app:hunter2@127.0.0.1:{}/shop", self.port);
        NeonClient::new(address.parse().unwrap()).unwrap()
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, acts: &'static [Act], counted: Arc<AtomicUsize>) {
    loop {
        let mut read = Vec::new();
        while !read.ends_with(b"]}") {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(read).unwrap();
        assert!(head.starts_with("POST /sql HTTP/1.1\r\n"), "{head}");
        assert!(
            head.contains("neon-connection-string: postgresql://app:hunter2@127.0.0.1/shop\r\n"),
            "{head}"
        );
        let number = counted.fetch_add(1, Ordering::SeqCst);
        match acts[number.min(acts.len() - 1)] {
            Act::Answer(status, body) => {
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Close => return,
        }
    }
}

/// Sends a statement that reads and one that does not; answers how often each was sent, and whether it was answered.
async fn sent(acts: &'static [Act]) -> [(usize, bool); 2] {
    let mut sent = [(0, false); 2];
    for (reads, sent) in [true, false].into_iter().zip(&mut sent) {
        let endpoint = Endpoint::start(acts).await;
        let client = endpoint.client();
        let query = NeonQuery::new("SELECT 1 AS one");
        let deadline = Instant::now() + Duration::from_secs(3);
        let answered = if reads {
            client.read(&query, deadline).await
        } else {
            client.execute(&query, deadline).await
        };
        *sent = (endpoint.requests(), answered.is_ok());
    }
    sent
}

#[tokio::test]
async fn trap_14_what_may_have_been_done_is_not_sent_again() {
    // A database that wakes up has done nothing yet.
    assert_eq!(
        sent(&[STARTING, STARTING, ONE]).await,
        [(3, true), (3, true)]
    );
    // Lost after the request had left, or lost behind the endpoint: only what reads is sent again.
    assert_eq!(sent(&[Act::Close, ONE]).await, [(2, true), (1, false)]);
    assert_eq!(sent(&[DOWN, ONE]).await, [(2, true), (1, false)]);
    // What trying does not mend is not tried.
    assert_eq!(sent(&[FULL, ONE]).await, [(1, false), (1, false)]);
    assert_eq!(sent(&[LARGE, ONE]).await, [(1, false), (1, false)]);
    let nonsense = &[Act::Answer(200, "{}"), ONE];
    assert_eq!(sent(nonsense).await, [(1, false), (1, false)]);
}

#[tokio::test]
async fn a_database_that_never_wakes_ends_at_the_deadline() {
    let endpoint = Endpoint::start(&[STARTING]).await;
    let began = Instant::now();
    let deadline = began + Duration::from_millis(600);
    let query = NeonQuery::new("SELECT 1");
    let error = endpoint
        .client()
        .execute(&query, deadline)
        .await
        .unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(endpoint.requests() > 1);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_result_whose_rows_do_not_fit_its_columns_is_no_result() {
    let short = &[Act::Answer(
        200,
        r#"{"fields":[{"name":"one","dataTypeID":23}],"rows":[[]],"command":"SELECT","rowCount":1}"#,
    )];
    let endpoint = Endpoint::start(short).await;
    let deadline = Instant::now() + Duration::from_secs(3);
    let answered = endpoint
        .client()
        .read(&NeonQuery::new("SELECT 1"), deadline)
        .await;
    assert!(matches!(answered, Err(NeonError::Protocol(None))));
}
