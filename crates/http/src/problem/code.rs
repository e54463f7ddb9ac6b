//! The stable codes of the problems this crate makes. Clients branch on these; texts may change.

/// 400: the request cannot be understood.
pub const BAD_REQUEST: &str = "bad-request";
/// 400: a query parameter has a wrong name or value.
pub const INVALID_PARAMETER: &str = "invalid-parameter";
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
