//! The origin: a server that does what the cases say.

mod body;
mod preconditions;
mod range;
mod script;
mod serve;

pub use body::{OriginFailed, ScriptBody};
pub use script::{Preconditions, Script};
pub use serve::serve;

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower::Service;

/// The script as a service. It reads the request's body before it answers, as a handler does; one that does not makes
/// proxies lose the end of the answer when the connection is reset.
pub fn service(
    script: Arc<Script>,
) -> impl Service<Request<Incoming>, Response = Response<ScriptBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(move |request: Request<Incoming>| {
        let script = Arc::clone(&script);
        async move {
            let (parts, body) = request.into_parts();
            drop(body.collect().await);
            Ok(script.answer(&parts))
        }
    })
}
