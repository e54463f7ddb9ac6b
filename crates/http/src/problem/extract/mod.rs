//! axum's own extractors with problems as rejections: `Json`, `Path`, `Query`.
//!
//! Their rejections become problems with `?` and `map_err` as well: `Problem: From<JsonRejection>`, and so on.
//! A problem names the member, parameter or segment that is wrong and what is expected there, in words of
//! JSON: the names of Rust types and the texts of errors inside the server do not leave it.
//!
//! ```
//! use paceline_http::problem::extract::{Json, Path};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Change { stock: u32 }
//!
//! async fn change(Path(id): Path<u64>, Json(change): Json<Change>) -> String {
//!     format!("{id}: {}", change.stock)
//! }
//! # let app: axum::Router = axum::Router::new().route("/products/{id}", axum::routing::patch(change));
//! ```

mod json;
mod path;
mod query;
mod read;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;

/// A JSON body. 415 where it is not sent as JSON, 413 where it is too long, 400 `malformed-body` where it is
/// no JSON, 422 `invalid-body` where it is of another shape.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// The parts of the path. 400 `invalid-path` where one cannot be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

/// The query string. 400 `invalid-parameter` where it cannot be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests;
