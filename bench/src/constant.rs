//! The server of constant answers: what a route can reach that does nothing.
//!
//! A process of its own, with the same runtime and HTTP stack as the product.

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::Outcome;

/// Serves `ADDRESS PLAIN GZIP`: at `/plain` and `/gzip` the bytes of those files, at `/noop` two bytes.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let [address, plain, gzip] = arguments else {
        return Err("constant needs ADDRESS PLAIN GZIP".to_owned());
    };
    let read = |path: &String| {
        std::fs::read(path)
            .map(Bytes::from)
            .map_err(|error| format!("{path}: {error}"))
    };
    let router = router(read(plain)?, read(gzip)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address.as_str())
            .await
            .map_err(|error| error.to_string())?;
        axum::serve(listener, router)
            .await
            .map_err(|error| error.to_string())
    })
}

fn router(plain: Bytes, gzip: Bytes) -> Router {
    let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let coded = (CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let also_json = json.clone();
    Router::new()
        .route("/plain", get(async move || ([json], plain).into_response()))
        .route(
            "/gzip",
            get(async move || ([also_json, coded], gzip).into_response()),
        )
        .route("/noop", get(async || "ok"))
}
