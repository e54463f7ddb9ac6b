//! Which client a request belongs to, behind trusted proxies.
//!
//! The address of the connection is the only one a client cannot invent. Behind a proxy it is the
//! proxy's, and the client's stands in `X-Forwarded-For` or `Forwarded` (RFC 7239), to which anyone can
//! write. So [`resolve`] reads that header from the right, where the nearest proxy wrote, and goes one
//! step further only while the address it stands on is one of the [`TrustedProxies`]. Text that is no
//! address ends the walk at the last trusted hop: the answer is always an address, never "unknown".
//!
//! [`ClientAddressLayer`] does this once per request, for [`ClientAddress::of`] and the extractor to tell.
//! Limits count by [`ClientKey`]: an IPv4 address, or an IPv6 network, because one IPv6 customer owns
//! a whole network of addresses.
//!
//! ```
//! use http::{HeaderMap, HeaderValue};
//! use paceline_http::client_ip::{TrustedProxies, resolve};
//!
//! let trusted = TrustedProxies::parse(["10.0.0.0/8"])?;
//! let mut headers = HeaderMap::new();
//! headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 203.0.113.9"));
//!
//! // The client wrote 6.6.6.6 itself; the proxy at 10.0.0.1 saw 203.0.113.9.
//! let client = resolve("10.0.0.1".parse()?, &headers, &trusted);
//! assert_eq!(client.to_string(), "203.0.113.9");
//! // A peer that is no trusted proxy is the client, whatever it writes.
//! let client = resolve("192.0.2.1".parse()?, &headers, &trusted);
//! assert_eq!(client.to_string(), "192.0.2.1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod elements;
mod forwarded;
mod key;
mod layer;
mod node;
mod resolve;
mod service;
mod trusted;

pub use self::address::ClientAddress;
pub use self::key::{ClientKey, InvalidPrefixLength, Ipv6PrefixLength};
pub use self::layer::ClientAddressLayer;
pub use self::resolve::resolve;
pub use self::service::ClientAddressService;
pub use self::trusted::{ForwardingHeader, InvalidProxy, TrustedProxies};
