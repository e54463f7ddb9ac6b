//! Cross-origin requests (the Fetch standard's CORS protocol) for pages that use what this crate offers.
//!
//! A page of another origin sees seven harmless response headers and no others, and may send next to none:
//! without leave, `fetch` hides `ETag` and `Link`, and refuses to send `If-Match`. [`layer`] gives leave for
//! exactly the headers that the layers of this crate read and write. Both lists are public for those who
//! answer preflights otherwise.
//!
//! ```
//! use axum::{Router, routing::get};
//!
//! let app: Router = Router::new()
//!     .route("/", get(async || "hello"))
//!     .layer(paceline_http::cors::layer(["https://app.example.com"])?);
//! # Ok::<(), paceline_http::cors::InvalidOrigin>(())
//! ```
//!
//! Put it outside everything else: it answers preflights itself, before limits count them, and refusals (429,
//! 503) need its headers as much as answers do. It allows no cookies; add
//! [`allow_credentials`](CorsLayer::allow_credentials) for that, which needs lists without `*`, as these are.
//!
//! No protection of the server: who is not a browser sends what he likes. No page needs it that comes from the
//! same origin.

mod headers;
mod origin;

use std::time::Duration;

use http::Method;
use tower_http::cors::AllowOrigin;
pub use tower_http::cors::CorsLayer;

pub use self::headers::{EXPOSED_HEADERS, REQUEST_HEADERS};
pub use self::origin::{InvalidOrigin, Origin};

/// How long browsers remember a preflight's answer: 2 hours, the most that Chromium does.
pub const MAX_AGE: Duration = Duration::from_hours(2);

/// The methods pages may use.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Leave for pages of these origins, such as `https://app.example.com`.
///
/// # Errors
/// When one of them is no origin: it has a path, a slash at its end, capitals, or is `*`.
pub fn layer<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<CorsLayer, InvalidOrigin> {
    let origins: Vec<_> = origins
        .into_iter()
        .map(|origin| Origin::new(origin).map(Origin::into_header_value))
        .collect::<Result<_, _>>()?;
    Ok(base().allow_origin(AllowOrigin::list(origins)))
}

/// Leave for pages of every origin, for an API that is open to all and knows no cookies.
pub fn any_origin() -> CorsLayer {
    base().allow_origin(tower_http::cors::Any)
}

fn base() -> CorsLayer {
    CorsLayer::new()
        .allow_methods(METHODS)
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(EXPOSED_HEADERS)
        .max_age(MAX_AGE)
}

#[cfg(test)]
mod tests;
