//! Error answers without a form, replaced.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    TRANSFER_ENCODING,
};
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{Problem, ProblemBody, code};

/// The service of a [`ProblemLayer`](super::ProblemLayer).
#[derive(Debug, Clone, Copy)]
pub struct Problems<S> {
    inner: S,
}

impl<S> Problems<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

pin_project! {
    /// The future of [`Problems`].
    #[derive(Debug)]
    pub struct ProblemFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<S, B, R> Service<Request<B>> for Problems<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data = Bytes>,
{
    type Response = Response<ProblemBody<R>>;
    type Error = S::Error;
    type Future = ProblemFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ProblemFuture {
            inner: self.inner.call(request),
        }
    }
}

impl<F, R, E> Future for ProblemFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ProblemBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(context))?;
        Poll::Ready(Ok(if has_no_form(&response) {
            replace(response)
        } else {
            response.map(ProblemBody::inner)
        }))
    }
}

fn has_no_form<R>(response: &Response<R>) -> bool {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    is_error
        && response.headers().get(CONTENT_TYPE).is_none_or(|value| {
            let essence = value.as_bytes().split(|byte| *byte == b';').next();
            essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(b"text/plain"))
        })
}

/// The problem of a status alone, with the headers of the answer that are not about its body.
fn replace<L, R>(response: Response<R>) -> Response<ProblemBody<L>> {
    const OF_THE_BODY: [HeaderName; 4] = [
        CONTENT_TYPE,
        CONTENT_LENGTH,
        CONTENT_ENCODING,
        TRANSFER_ENCODING,
    ];
    let (parts, _) = response.into_parts();
    let replaced = of_status(parts.status).into_http_response();
    let (mut new, body) = replaced.into_parts();
    let mut headers: HeaderMap = parts.headers;
    for name in &OF_THE_BODY {
        headers.remove(name);
    }
    for (name, value) in &new.headers {
        if name != CACHE_CONTROL || !headers.contains_key(CACHE_CONTROL) {
            headers.insert(name, value.clone());
        }
    }
    new.headers = headers;
    new.extensions = parts.extensions;
    Response::from_parts(new, ProblemBody::from(body))
}

fn of_status(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (code::NOT_FOUND, "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => (
            code::METHOD_NOT_ALLOWED,
            "This method is not served here. Use one of those in Allow.",
        ),
        StatusCode::UNAUTHORIZED => (code::UNAUTHORIZED, "Say who you are."),
        StatusCode::FORBIDDEN => (code::FORBIDDEN, "This is not allowed."),
        StatusCode::NOT_ACCEPTABLE => (
            code::NOT_ACCEPTABLE,
            "There is no answer in a form that Accept names.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            code::REQUEST_TIMEOUT,
            "The request took too long. Send it again.",
        ),
        StatusCode::CONFLICT => (
            code::CONFLICT,
            "The request conflicts with the current state.",
        ),
        StatusCode::PRECONDITION_FAILED => (code::PRECONDITION_FAILED, "A precondition is false."),
        StatusCode::PAYLOAD_TOO_LARGE => (
            code::PAYLOAD_TOO_LARGE,
            "The body is longer than is accepted here. Send less at once.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            code::UNSUPPORTED_MEDIA_TYPE,
            "The body is of a type that is not accepted here.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => (code::INVALID_BODY, "The body cannot be used."),
        StatusCode::PRECONDITION_REQUIRED => (
            code::PRECONDITION_REQUIRED,
            "Send the ETag of what you know in If-Match.",
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            code::RATE_LIMIT_EXCEEDED,
            "Too many requests. Wait, then try again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            (
                code::UNAVAILABLE,
                "The server cannot answer now. Try again later.",
            )
        }
        status if status.is_server_error() => (
            code::INTERNAL,
            "The server failed to answer. It is not the request's fault.",
        ),
        _ => (
            code::BAD_REQUEST,
            "The request cannot be answered as it is.",
        ),
    };
    Problem::new(status, code).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::super::ProblemLayer;
    use super::*;

    async fn ask(method: &str, path: &str) -> (http::response::Parts, String) {
        let plain = |status: u16| async move {
            (
                StatusCode::from_u16(status).unwrap(),
                "thread panicked at src/db.rs",
            )
        };
        let own = async || {
            let own = [("content-type", "application/json"), ("retry-after", "7")];
            (StatusCode::IM_A_TEAPOT, own, "{\"own\":1}").into_response()
        };
        let app = Router::new()
            .route("/500", get(move || plain(500)))
            .route("/499", get(move || plain(499)))
            .route("/200", get(move || plain(200)))
            .route("/own", get(own))
            .route("/problem", get(async || Problem::conflict("Twice.")))
            .layer(ProblemLayer::new());
        let request = Request::builder().method(method).uri(path);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn errors_without_a_form_become_problems_and_others_pass() {
        for (method, path, status, code) in [
            ("GET", "/nothing", 404, "not-found"),
            ("PUT", "/500", 405, "method-not-allowed"),
            ("GET", "/500", 500, "internal-error"),
            ("GET", "/499", 499, "bad-request"),
            ("GET", "/problem", 409, "conflict"),
        ] {
            let (parts, body) = ask(method, path).await;
            assert_eq!(parts.status, status, "{path}");
            assert_eq!(parts.headers["content-type"], "application/problem+json");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (&body["code"], &body["status"]),
                (&code.into(), &status.into())
            );
            assert!(!body.to_string().contains("src/"), "{body}");
        }
        let (parts, _) = ask("PUT", "/500").await;
        assert_eq!(parts.headers["allow"], "GET,HEAD");
        assert_eq!(ask("GET", "/200").await.1, "thread panicked at src/db.rs");
        let (parts, body) = ask("GET", "/own").await;
        assert_eq!((parts.status.as_u16(), body.as_str()), (418, "{\"own\":1}"));
    }
}
