//! Request limits with `RateLimit`, `RateLimit-Policy` and `Retry-After` fields.
