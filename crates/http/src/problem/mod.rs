//! Problem documents (RFC 9457): one shape for every error answer.
//!
//! A [`Problem`] knows its status, a stable machine-readable [`code`], and a `detail` sentence that tells
//! the reader what to do next. It may name the offending input (a query parameter, or a JSON Pointer into
//! the body), list several [`Violation`]s, carry extension members, and bring its own headers
//! (`Retry-After`, `Allow`, `WWW-Authenticate`). It is a response on its own:
//!
//! ```
//! use axum::response::{IntoResponse, Response};
//! use paceline_http::problem::Problem;
//!
//! fn page(text: &str) -> Result<u32, Problem> {
//!     text.parse()
//!         .map_err(|_| Problem::invalid_parameter("page", "Give `page` a whole number, 1 or more."))
//! }
//!
//! async fn handler() -> Result<String, Problem> {
//!     Ok(page("two")?.to_string())
//! }
//!
//! let response: Response = page("two").unwrap_err().into_response();
//! assert_eq!(response.status(), 400);
//! assert_eq!(response.headers()["content-type"], "application/problem+json");
//! ```
//!
//! [`extract`] has axum's extractors with problems as rejections, and [`ProblemLayer`] turns what is left, the
//! plain errors of a router and of other layers, into problems too.
//!
//! Not for outcomes that are no failure: a 304 or a 202 is not a problem.

#[cfg(feature = "axum")]
mod body;
pub mod code;
mod constructors;
mod document;
#[cfg(feature = "axum")]
pub mod extract;
#[cfg(feature = "axum")]
mod layer;
mod response;
#[cfg(feature = "axum")]
mod service;
mod source;
mod violation;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

#[cfg(feature = "axum")]
pub use self::body::ProblemBody;
pub use self::document::CONTENT_TYPE;
#[cfg(feature = "axum")]
pub use self::layer::ProblemLayer;
pub use self::response::retry_after;
#[cfg(feature = "axum")]
pub use self::service::{ProblemFuture, Problems};
pub use self::source::Source;
pub use self::violation::Violation;

/// The `type` of a problem that is fully described by its status and code (RFC 9457, section 4.2.1).
pub const ABOUT_BLANK: &str = "about:blank";

/// An error answer: an RFC 9457 problem document with its status and headers.
///
/// Built by value; cheap to move (one pointer), so it fits the error side of a `Result`.
#[derive(Debug, Clone)]
#[must_use = "a problem does nothing until it is returned as the response"]
pub struct Problem(Box<Members>);

#[derive(Debug, Clone)]
struct Members {
    status: StatusCode,
    code: &'static str,
    type_uri: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    detail: Option<Cow<'static, str>>,
    source: Option<Source>,
    violations: Vec<Violation>,
    extensions: Vec<(&'static str, Value)>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem with this status and stable kebab-case code, and nothing else yet.
    ///
    /// The codes the constructors of this type use are in [`code`]; an application adds its own.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self(Box::new(Members {
            status,
            code,
            type_uri: Cow::Borrowed(ABOUT_BLANK),
            title: None,
            detail: None,
            source: None,
            violations: Vec::new(),
            extensions: Vec::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Replaces the code by a more exact one.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// Sets the `type` URI. Default: [`ABOUT_BLANK`].
    pub fn with_type(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.0.type_uri = uri.into();
        self
    }

    /// Sets the short title of this kind of problem. Default: the status' standard phrase.
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.0.title = Some(title.into());
        self
    }

    /// Sets the sentence that says what happened and what to do.
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Names the query parameter that is wrong, as the client spelled it.
    pub fn with_parameter(mut self, name: impl Into<String>) -> Self {
        self.0.source = Some(Source::Parameter(name.into()));
        self
    }

    /// Points at the member of the request body that is wrong: a JSON Pointer (RFC 6901).
    pub fn with_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.0.source = Some(Source::Pointer(pointer.into()));
        self
    }

    /// Names the request header that is wrong.
    pub fn with_request_header(mut self, name: &HeaderName) -> Self {
        self.0.source = Some(Source::Header(name.as_str().to_owned()));
        self
    }

    /// Adds one entry to `errors`.
    pub fn with_violation(mut self, violation: Violation) -> Self {
        self.0.violations.push(violation);
        self
    }

    /// Adds entries to `errors`, in order.
    pub fn with_violations(mut self, violations: impl IntoIterator<Item = Violation>) -> Self {
        self.0.violations.extend(violations);
        self
    }

    /// Adds an extension member (RFC 9457, section 3.2). The last value given for a name counts;
    /// a name the document uses itself (`type`, `code`, `errors` and so on) is left out.
    pub fn with_extension(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.extensions.retain(|(known, _)| *known != name);
        self.0.extensions.push((name, value.into()));
        self
    }

    /// Sets a response header, replacing one of the same name.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Sets `Retry-After` to `wait` in whole seconds, rounded up, at least 1.
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.with_header(header::RETRY_AFTER, retry_after(wait))
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The `type` URI.
    pub fn type_uri(&self) -> &str {
        &self.0.type_uri
    }

    /// The title: the one set, else the status' standard phrase.
    pub fn title(&self) -> &str {
        match &self.0.title {
            Some(title) => title,
            None => self.0.status.canonical_reason().unwrap_or("Error"),
        }
    }

    /// The sentence that says what to do, if one was set.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Which input is wrong, if one was named.
    pub fn source_of_error(&self) -> Option<&Source> {
        self.0.source.as_ref()
    }

    /// The entries of `errors`.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The extension members, in the order they were added.
    pub fn extensions(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.extensions.iter().map(|(name, value)| (*name, value))
    }

    /// The headers this problem brings along, to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// The headers this problem brings along.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.code)?;
        match &self.0.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// What cannot happen is no problem.
impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
