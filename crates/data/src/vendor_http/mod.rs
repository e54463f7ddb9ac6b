//! JSON over HTTPS to the databases of vendors that speak it: one POST, one answer, before a deadline.
//!
//! A client of one server, without redirects, cookies or coding. What it is careful about:
//!
//! - every wait ends at the caller's deadline, and an answer larger than the caller takes is not read to its end;
//! - only what cannot have been executed is sent again: connecting is, and a request that never left; what
//!   left is sent again only if the caller says that it may be executed twice;
//! - connections are kept for the next request, but not trusted for long: a process that was frozen finds them dead;
//! - headers hold passwords, so no `Debug` and no error shows one.

mod client;
mod connect;
mod error;
mod kept;
mod origin;
mod retry;
#[cfg(test)]
mod tests;

pub use client::{Fetch, HttpClient, HttpOptions, Post, Reply};
pub use connect::tls_settings;
pub use error::HttpError;
pub use origin::Origin;
