//! What limits may know of a request.

use std::fmt;
use std::sync::Arc;

use http::header::HeaderName;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::LimitKey;
use crate::client_ip::{ClientAddress, Ipv6PrefixLength};

/// A request without its body.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'request> {
    /// The method.
    pub method: &'request Method,
    /// The URI.
    pub uri: &'request Uri,
    /// The headers.
    pub headers: &'request HeaderMap,
    /// What layers outside put there.
    pub extensions: &'request Extensions,
}

impl<'request, B> From<&'request Request<B>> for RequestHead<'request> {
    fn from(request: &'request Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// Whose quota a request takes from.
///
/// A key function that has no answer leaves the request to the client's address: nobody escapes a limit by
/// leaving a header out.
///
/// ```
/// use http::HeaderName;
/// use paceline_http::rate_limit::{LimitKey, RequestKey};
///
/// #[derive(Clone)]
/// struct User(u64);
///
/// let by_user = RequestKey::extension(|user: &User| LimitKey::of(user.0.to_le_bytes()));
/// let by_api_key = RequestKey::header(HeaderName::from_static("x-api-key"));
/// let by_tenant = RequestKey::function(|request| {
///     let (tenant, _) = request.uri.host()?.split_once('.')?;
///     Some(LimitKey::of(tenant))
/// });
/// ```
#[derive(Clone)]
pub struct RequestKey {
    ipv6_prefix: Ipv6PrefixLength,
    function: Option<KeyFunction>,
    is_header: bool,
}

type KeyFunction = Arc<dyn Fn(&RequestHead<'_>) -> Option<LimitKey> + Send + Sync>;

impl RequestKey {
    /// The client's address; IPv6 by its network of this prefix length. The default, with /56.
    pub const fn address(ipv6_prefix: Ipv6PrefixLength) -> Self {
        Self {
            ipv6_prefix,
            function: None,
            is_header: false,
        }
    }

    /// The value of a header.
    ///
    /// Whoever can send any value gets a quota for each: use it for what was checked before (an API
    /// gateway, authentication), or beside a limit by address.
    pub fn header(name: HeaderName) -> Self {
        let by_header = Self::function(move |request| {
            request
                .headers
                .get(&name)
                .map(|value| LimitKey::of(value.as_bytes()))
        });
        Self {
            is_header: true,
            ..by_header
        }
    }

    /// Something a layer outside put into the request's extensions: the user it has authenticated.
    pub fn extension<T: Send + Sync + 'static>(
        key: impl Fn(&T) -> LimitKey + Send + Sync + 'static,
    ) -> Self {
        Self::function(move |request| request.extensions.get::<T>().map(&key))
    }

    /// Whatever this function finds.
    pub fn function(
        key: impl Fn(&RequestHead<'_>) -> Option<LimitKey> + Send + Sync + 'static,
    ) -> Self {
        Self {
            function: Some(Arc::new(key)),
            ..Self::default()
        }
    }

    /// The prefix length IPv6 clients are counted by where the address decides.
    #[must_use]
    pub fn with_ipv6_prefix(mut self, prefix: Ipv6PrefixLength) -> Self {
        self.ipv6_prefix = prefix;
        self
    }

    /// The key of this request.
    pub fn of(&self, request: &RequestHead<'_>) -> LimitKey {
        let found = self
            .function
            .as_ref()
            .and_then(|function| function(request));
        found.unwrap_or_else(|| {
            ClientAddress::of(request.extensions)
                .key(self.ipv6_prefix)
                .into()
        })
    }

    pub(super) fn ipv6_prefix(&self) -> Ipv6PrefixLength {
        self.ipv6_prefix
    }

    /// Whether only the address counts.
    pub(super) fn is_address(&self) -> bool {
        self.function.is_none()
    }
}

impl Default for RequestKey {
    fn default() -> Self {
        Self::address(Ipv6PrefixLength::default())
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.function {
            None => "address",
            Some(_) if self.is_header => "header",
            Some(_) => "function",
        };
        f.debug_struct("RequestKey")
            .field("kind", &kind)
            .field("ipv6_prefix", &self.ipv6_prefix.bits())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(address: &str, header: Option<&str>, user: Option<u64>) -> Request<()> {
        let mut request = Request::get("http://acme.example.com/").body(()).unwrap();
        let address = ClientAddress::new(address.parse().unwrap());
        request.extensions_mut().insert(address);
        if let Some(value) = header {
            request
                .headers_mut()
                .insert("x-api-key", value.parse().unwrap());
        }
        if let Some(user) = user {
            request.extensions_mut().insert(user);
        }
        request
    }

    #[test]
    fn a_key_is_an_address_a_header_a_user_or_whatever_a_function_finds() {
        let key = |key: &RequestKey, request: &Request<()>| key.of(&RequestHead::from(request));
        let plain = request("2001:db8::1", None, None);
        let other = request("2001:db8:0:1::2", Some("k"), Some(7));
        let far = request("2001:db9::1", Some("k"), Some(7));
        let address = RequestKey::default();
        assert_eq!(key(&address, &plain), key(&address, &other), "one /56");
        assert_ne!(key(&address, &plain), key(&address, &far));
        let narrow = RequestKey::address(Ipv6PrefixLength::new(64).unwrap());
        assert_ne!(key(&narrow, &plain), key(&narrow, &other), "two /64");

        let header = RequestKey::header(HeaderName::from_static("x-api-key"));
        assert_eq!(key(&header, &other), key(&header, &far));
        assert_eq!(
            key(&header, &plain),
            key(&address, &plain),
            "no header: the address"
        );

        let user = RequestKey::extension(|user: &u64| LimitKey::of(user.to_le_bytes()));
        assert_eq!(key(&user, &other), LimitKey::of(7u64.to_le_bytes()));
        let host = RequestKey::function(|request| request.uri.host().map(LimitKey::of));
        assert_eq!(key(&host, &plain), LimitKey::of("acme.example.com"));
    }
}
