//! Salvo with its hoops for compression and conditions: `salvo-peer ADDRESS BEHAVIOURS`.

#[path = "../../script.rs"]
mod script;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use salvo::conn::TcpListener;
use salvo::http::ResBody;
use salvo::http::header::{HeaderName, HeaderValue};
use salvo::prelude::*;
use script::{Behaviour, Frame, Script};

struct Scripted(Arc<Script>);

#[salvo::async_trait]
impl Handler for Scripted {
    async fn handle(&self, request: &mut Request, _: &mut Depot, response: &mut Response, _: &mut FlowCtrl) {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let field = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if let Some(mark) = path.strip_prefix("writes-of/") {
            response.render(self.0.writes_of(mark).to_string());
            return;
        }
        let Some(behaviour) = self.0.find(&path) else {
            response.status_code(StatusCode::NOT_FOUND);
            return;
        };
        if !matches!(request.method().as_str(), "GET" | "HEAD") {
            self.0.act(&field("x-conformance-mark").unwrap_or_default());
        }
        response.status_code(StatusCode::from_u16(behaviour.status).expect("a status"));
        for (name, value) in &behaviour.headers {
            let name = HeaderName::try_from(name).expect("a name");
            response.headers_mut().append(name, HeaderValue::try_from(value).expect("a value"));
        }
        if behaviour.is_stream {
            response.stream(pieces(behaviour));
        } else if let Some((part, content_range)) = behaviour.part(field("range").as_deref(), field("if-range").as_deref()) {
            response.status_code(StatusCode::PARTIAL_CONTENT);
            let _ = response.add_header("content-range", content_range, true);
            response.body(ResBody::Once(part));
        } else {
            response.body(ResBody::Once(behaviour.whole()));
        }
    }
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
    let router = Router::with_path("{**rest}")
        .hoop(Compression::new())
        .hoop(CachingHeaders::new())
        .goal(Scripted(script));
    let acceptor = TcpListener::new(arguments[1].clone()).bind().await;
    Server::new(acceptor).serve(router).await;
}
