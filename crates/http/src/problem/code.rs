//! The stable codes of the problems this crate makes. Clients branch on these; texts may change.
//!
//! ```
//! use paceline_http::page::{PageLimits, PageRequest};
//! use paceline_http::problem::code;
//!
//! let uri = http::Uri::from_static("/posts?page=0");
//! let problem = PageRequest::from_uri(&uri, PageLimits::default()).unwrap_err();
//! assert_eq!(problem.code(), code::INVALID_PAGE);
//! ```

/// 400: the request cannot be understood.
pub const BAD_REQUEST: &str = "bad-request";
/// 400: a query parameter has a wrong name or value.
pub const INVALID_PARAMETER: &str = "invalid-parameter";
/// 400: a query parameter is not UTF-8 text in percent-encoding.
pub const INVALID_ENCODING: &str = "invalid-encoding";
/// 400: the query string is longer, deeper or has more parts than is read.
pub const QUERY_TOO_LARGE: &str = "query-too-large";
/// 400: there is no query parameter of this name here.
pub const UNKNOWN_PARAMETER: &str = "unknown-parameter";
/// 400: the same query parameter twice, in one spelling or two.
pub const REPEATED_PARAMETER: &str = "repeated-parameter";
/// 400: two query parameters that exclude each other.
pub const CONFLICTING_PARAMETERS: &str = "conflicting-parameters";
/// 400: a selection of fields that cannot be read.
pub const INVALID_FIELDS: &str = "invalid-fields";
/// 400: there is no such field, or none that this client may see.
pub const UNKNOWN_FIELD: &str = "unknown-field";
/// 400: a page number that is not one.
pub const INVALID_PAGE: &str = "invalid-page";
/// 400: a page size that is not one, or above the maximum.
pub const INVALID_LIMIT: &str = "invalid-limit";
/// 400: a cursor that is damaged, forged, or of another list.
pub const INVALID_CURSOR: &str = "invalid-cursor";
/// 400: a part of the path cannot be read.
pub const INVALID_PATH: &str = "invalid-path";
/// 400: the body is not well-formed.
pub const MALFORMED_BODY: &str = "malformed-body";
/// 401: credentials are missing or wrong.
pub const UNAUTHORIZED: &str = "unauthorized";
/// 403: the credentials do not allow this.
pub const FORBIDDEN: &str = "forbidden";
/// 404: there is no such thing.
pub const NOT_FOUND: &str = "not-found";
/// 405: the resource does not know this method.
pub const METHOD_NOT_ALLOWED: &str = "method-not-allowed";
/// 406: no representation the client accepts.
pub const NOT_ACCEPTABLE: &str = "not-acceptable";
/// 408: the request took too long.
pub const REQUEST_TIMEOUT: &str = "request-timeout";
/// 409: the request conflicts with the current state.
pub const CONFLICT: &str = "conflict";
/// 412: a precondition (`If-Match`, `If-None-Match`) is false.
pub const PRECONDITION_FAILED: &str = "precondition-failed";
/// 413: the body is larger than allowed.
pub const PAYLOAD_TOO_LARGE: &str = "payload-too-large";
/// 415: the body's media type is not accepted.
pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported-media-type";
/// 422: the body is well-formed and wrong.
pub const INVALID_BODY: &str = "invalid-body";
/// 428: the route requires `If-Match`.
pub const PRECONDITION_REQUIRED: &str = "precondition-required";
/// 429: a rate limit is used up.
pub const RATE_LIMIT_EXCEEDED: &str = "rate-limit-exceeded";
/// 500: a fault of the server.
pub const INTERNAL: &str = "internal-error";
/// 503: the server cannot do this now.
pub const UNAVAILABLE: &str = "unavailable";
