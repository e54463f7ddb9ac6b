//! The same service on a server.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::post;
use paceline_serverless::{ClientAddress, Place, RunError, Serverless};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn echo(Extension(client): Extension<ClientAddress>, body: String) -> String {
    format!("{} says {body}", client.0)
}

fn serverless() -> Serverless<Router> {
    Serverless::new(Router::new().route("/", post(echo)))
}

async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("a bound socket")
}

#[tokio::test]
async fn a_router_listens_unchanged() {
    let address = free_address().await;
    let port = address.port().to_string();
    for variables in [
        vec![("PORT", port.as_str())],
        vec![
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LWA_PORT", port.as_str()),
        ],
    ] {
        let place = Place::of(|name| {
            let found = variables.iter().find(|variable| variable.0 == name);
            found.map(|variable| variable.1.to_owned())
        });
        let place = place.expect("a place");
        let running = tokio::spawn(async move { serverless().run_in(&place).await });
        let asking = async {
            let mut socket = loop {
                match TcpStream::connect(address).await {
                    Ok(socket) => break socket,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            let request =
                "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
            socket
                .write_all(request.as_bytes())
                .await
                .expect("it is taken");
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.expect("an answer");
            answer
        };
        let answer = tokio::time::timeout(Duration::from_secs(20), asking).await;
        let answer = answer.expect("an answer in time");
        assert!(answer.ends_with("127.0.0.1 says hello"), "{answer}");
        running.abort();
        let _ = running.await;
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let place = Place::of(|_| None).expect("a server");
    let refused = serverless().listen(address).run_in(&place).await;
    match refused {
        Err(RunError::Listen(named, _)) => assert_eq!(named, address),
        other => panic!("{other:?}"),
    }
}
