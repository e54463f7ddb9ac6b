//! tower-http's compression around an axum handler: `tower-http-peer ADDRESS BEHAVIOURS`.

#[path = "../../script.rs"]
mod script;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use script::{Behaviour, Frame, Script};
use tower_http::compression::CompressionLayer;

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let field = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(mark) = path.strip_prefix("writes-of/") {
        return Response::new(Body::from(script.writes_of(mark).to_string()));
    }
    let Some(behaviour) = script.find(&path) else {
        return with_status(Body::empty(), StatusCode::NOT_FOUND);
    };
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        script.act(field("x-conformance-mark").unwrap_or_default());
    }
    let status = StatusCode::from_u16(behaviour.status).expect("a status");
    let mut response = if behaviour.is_stream {
        with_status(Body::from_stream(pieces(behaviour)), status)
    } else if let Some((part, content_range)) = behaviour.part(field("range"), field("if-range")) {
        let mut response = with_status(Body::from(part), StatusCode::PARTIAL_CONTENT);
        let value = HeaderValue::try_from(content_range).expect("digits");
        response.headers_mut().insert("content-range", value);
        response
    } else {
        with_status(Body::from(behaviour.whole()), status)
    };
    for (name, value) in &behaviour.headers {
        let name = HeaderName::try_from(name).expect("a name");
        response.headers_mut().append(name, HeaderValue::try_from(value).expect("a value"));
    }
    response
}

fn with_status(body: Body, status: StatusCode) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn pieces(behaviour: &Behaviour) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
    let frames = behaviour.frames.clone().into_iter();
    stream::unfold((frames, behaviour.is_broken), |(mut frames, is_broken)| async move {
        loop {
            match frames.next() {
                Some(Frame::Pause(pause)) => tokio::time::sleep(pause).await,
                Some(Frame::Data(data)) => return Some((Ok(data), (frames, is_broken))),
                None if is_broken => {
                    // A server that is told of the last piece and the failure at once sends neither.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    return Some((Err(std::io::Error::other("fails on purpose")), (frames, false)));
                }
                None => return None,
            }
        }
    })
    .fuse()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let script = Arc::new(Script::read(&arguments[2]));
    let router = Router::new()
        .fallback(answer)
        .with_state(script)
        .layer(CompressionLayer::new());
    let listener = tokio::net::TcpListener::bind(&arguments[1]).await.expect("a free port");
    axum::serve(listener, router).await.expect("serves for ever");
}
