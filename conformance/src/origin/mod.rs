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
use std::future::{Ready, ready};
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tower::Service;

/// The script as a service on its own.
pub fn service(
    script: Arc<Script>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<ScriptBody>,
    Error = Infallible,
    Future = Ready<Result<Response<ScriptBody>, Infallible>>,
> + Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(move |request: Request<Incoming>| {
        let (parts, _) = request.into_parts();
        ready(Ok(script.answer(&parts)))
    })
}
