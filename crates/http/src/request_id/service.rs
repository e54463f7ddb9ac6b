//! The service of [`RequestIdLayer`](super::RequestIdLayer).

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{RequestIdFuture, RequestIds};

/// A service whose requests have an id; see [`RequestIdLayer`](super::RequestIdLayer).
#[derive(Debug, Clone)]
pub struct RequestId<S> {
    inner: S,
    ids: RequestIds,
}

impl<S> RequestId<S> {
    pub(super) fn new(inner: S, ids: RequestIds) -> Self {
        Self { inner, ids }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for RequestId<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RequestIdFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let id = self.ids.identify(request.headers_mut());
        RequestIdFuture::new(self.inner.call(request), id)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{Layer, ServiceExt, service_fn};

    use super::super::{RequestIdLayer, X_REQUEST_ID};
    use super::*;

    /// Answers with the id it was given as the body, and one of its own as the header.
    async fn ask(layer: &RequestIdLayer, id: Option<&str>) -> Response<String> {
        let echo = service_fn(async |request: Request<()>| {
            let given = request.headers()[X_REQUEST_ID].to_str().unwrap().to_owned();
            let answer = Response::builder()
                .header(X_REQUEST_ID, "other")
                .body(given);
            Ok::<_, Infallible>(answer.unwrap())
        });
        let mut request = Request::new(());
        if let Some(id) = id {
            request
                .headers_mut()
                .insert(X_REQUEST_ID, id.parse().unwrap());
        }
        layer.layer(echo).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn the_service_and_the_answer_see_one_id() {
        let layer = RequestIdLayer::new();
        let mut seen = Vec::new();
        for id in [Some("caller-7"), Some("a b"), None] {
            let answer = ask(&layer, id).await;
            assert_eq!(answer.headers()[X_REQUEST_ID], answer.body().as_str());
            seen.push(answer.into_body());
        }
        assert_eq!(seen[0], "caller-7");
        assert_ne!(seen[1], "a b");
        assert_ne!(seen[1], seen[2]);
    }
}
