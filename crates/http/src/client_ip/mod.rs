//! Which client a request belongs to, behind trusted proxies.
