//! A page of metrics, from a file or from a server.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use paceline_deploy::budget::Recording;

use crate::cli::Failure;

/// How long one answer may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// The largest page that is read, in bytes.
const LARGEST: usize = 64 << 20;

/// What asks servers.
pub(super) type Asker = Client<HttpConnector, Empty<Bytes>>;

/// A client without TLS: a server is asked itself, not what stands before it.
pub(super) fn asker() -> Asker {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Reads `flag`'s page from a URL or a file.
pub(super) async fn read(asker: &Asker, flag: &str, place: &str) -> Result<Recording, Failure> {
    let text = if place.contains("://") {
        let uri = url(flag, place)?;
        let (status, body) = ask(asker, uri)
            .await
            .map_err(|why| Failure::Run(format!("{flag} {place}: {why}")))?;
        if status != 200 {
            let text = format!(
                "{flag} {place}: it answers {status}; give the address of /metrics on the admin listener"
            );
            return Err(Failure::Run(text));
        }
        String::from_utf8_lossy(&body).into_owned()
    } else {
        std::fs::read_to_string(Path::new(place)).map_err(|error| {
            Failure::Usage(format!("{flag} {place}: it cannot be read: {error}"))
        })?
    };
    Recording::read(&text).map_err(|error| Failure::Usage(format!("{flag} {place}: {error}")))
}

/// A URL that can be asked here.
pub(super) fn url(flag: &str, text: &str) -> Result<Uri, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("{flag} {text}: {why}"));
    let uri: Uri = text
        .parse()
        .map_err(|_| wrong("expected a URL such as http://127.0.0.1:8080/api/posts"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(uri),
        (Some("https"), _) => Err(wrong(
            "it speaks no TLS: ask the server itself over http, not what stands before it",
        )),
        _ => Err(wrong(
            "expected a URL such as http://127.0.0.1:8080/api/posts",
        )),
    }
}

/// Asks once; the answer's status and its whole body.
pub(super) async fn ask(asker: &Asker, uri: Uri) -> Result<(u16, Bytes), String> {
    let asking = async {
        let request = Request::get(uri)
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let answer = asker.request(request).await.map_err(|error| why(&error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
