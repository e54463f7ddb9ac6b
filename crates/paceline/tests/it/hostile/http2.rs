//! HTTP/2 without TLS, with prior knowledge: what is offered, and what a client may not do.

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{Request, Response, StatusCode, Version};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{assert_others_are_answered, resident, serve};
use crate::server::Server;

struct Client {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        let address = server.base.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        let driver = tokio::spawn(connection);
        Self { requests, driver }
    }

    async fn get(&self, path: &str, fields: &[(&str, &str)]) -> Response<RecvStream> {
        let mut requests = self.requests.clone().ready().await.unwrap();
        let (answer, _) = requests.send_request(get(path, fields), true).unwrap();
        answer.await.unwrap()
    }
}

fn get(path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let request = Request::get(format!("http://localhost{path}"));
    let with =
        |request: http::request::Builder, field: &(&str, &str)| request.header(field.0, field.1);
    fields.iter().fold(request, with).body(()).unwrap()
}

async fn read(mut answer: Response<RecvStream>) -> Result<usize, h2::Error> {
    let mut length = 0;
    while let Some(data) = answer.body_mut().data().await {
        let data = data?;
        length += data.len();
        answer
            .body_mut()
            .flow_control()
            .release_capacity(data.len())?;
    }
    Ok(length)
}

#[tokio::test]
async fn http2_is_spoken_on_the_same_port_as_http1() {
    let server = serve();
    let client = Client::connect(&server).await;
    let answer = client.get("/api/note?limit=100", &[]).await;
    assert_eq!(
        (answer.status(), answer.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    assert!(read(answer).await.unwrap() > 100 * super::NOTE);
    let again = client
        .get("/api/note?limit=100", &[("if-none-match", &tag)])
        .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let exported = client.get("/api/export/note?fields=id", &[]).await;
    assert!(read(exported).await.unwrap() > super::NOTES as usize * 8);
    assert_others_are_answered(&server);
}

#[tokio::test]
async fn fields_beyond_64_kib_are_431_as_in_http1() {
    let server = serve();
    let client = Client::connect(&server).await;
    let long = "y".repeat(70_000);
    assert_eq!(
        client.get("/api/note/7", &[("x", &long)]).await.status(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
    // What HTTP/1.1 takes is taken, and the connection goes on.
    assert_eq!(
        client
            .get("/api/note/7", &[("x", &long[..40_000])])
            .await
            .status(),
        StatusCode::OK
    );
}

/// CVE-2023-44487: requests that are taken back as soon as they are sent.
#[tokio::test]
async fn requests_taken_back_at_once_end_the_connection() {
    let server = serve();
    let before = resident(&server);
    let client = Client::connect(&server).await;
    assert_eq!(
        client.get("/api/note/7", &[]).await.status(),
        StatusCode::OK
    );
    for _ in 0..100_000 {
        let Ok(mut requests) = client.requests.clone().ready().await else {
            break;
        };
        let Ok((answer, mut stream)) = requests.send_request(get("/api/note?limit=100", &[]), true)
        else {
            break;
        };
        stream.send_reset(Reason::CANCEL);
        drop(answer);
    }
    let ended = client.driver.await.unwrap().unwrap_err();
    // The client may notice the closed connection before it reads why.
    let is_calmed = ended.reason() == Some(Reason::ENHANCE_YOUR_CALM);
    assert!(is_calmed || ended.is_io(), "{ended}");
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "{grown} bytes");
    assert_others_are_answered(&server);
}
