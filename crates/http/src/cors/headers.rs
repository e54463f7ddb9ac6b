//! The headers that pages of other origins may see and send.

use http::HeaderName;
use http::header;

/// The response headers that the layers and answers of this crate write and a page cannot see without leave.
/// (Those of no use to a page, such as `Vary`, are not among them.)
pub const EXPOSED_HEADERS: [HeaderName; 10] = [
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("x-request-id"),
];

/// The request headers that the layers of this crate, and APIs as they are usual beside it, read and a page
/// cannot send without leave.
pub const REQUEST_HEADERS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-request-id"),
];
