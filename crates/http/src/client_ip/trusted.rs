//! Whose word about the client is believed.

use std::fmt;
use std::net::IpAddr;

use http::header::{FORWARDED, HeaderName};
use ipnet::{IpNet, Ipv4Net};

/// Which header the proxies write. Exactly one is read: a proxy that writes one passes the other through
/// as the client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, what nearly every proxy writes. The default.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl ForwardingHeader {
    pub(super) fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => FORWARDED,
        }
    }
}

/// The networks of the proxies in front of this server, and the header they write.
///
/// Empty by default: then the connection's own address is the client's. List only your own proxies'
/// networks: everyone inside them can claim any address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardingHeader,
}

impl TrustedProxies {
    /// No proxies: the peer is the client.
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxies in these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            networks: networks.into_iter().map(canonical).collect(),
            header: ForwardingHeader::default(),
        }
    }

    /// Reads networks in CIDR notation (`10.0.0.0/8`, `2001:db8::/32`) and single addresses.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, InvalidProxy> {
        let networks: Result<Vec<IpNet>, InvalidProxy> = texts
            .into_iter()
            .map(|text| parse_network(text.as_ref()))
            .collect();
        networks.map(Self::new)
    }

    /// Chooses the header the proxies write. Default: [`ForwardingHeader::XForwardedFor`].
    #[must_use]
    pub fn with_header(mut self, header: ForwardingHeader) -> Self {
        self.header = header;
        self
    }

    /// The header that is read.
    pub fn header(&self) -> ForwardingHeader {
        self.header
    }

    /// The networks, those of IPv4-mapped addresses as IPv4.
    pub fn networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether `address` is one of the proxies. An IPv4-mapped address counts as its IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

fn parse_network(text: &str) -> Result<IpNet, InvalidProxy> {
    let invalid = |is_mapped| InvalidProxy {
        text: text.to_owned(),
        is_mapped,
    };
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| invalid(false))?;
    match network {
        IpNet::V6(wide) if wide.prefix_len() < MAPPED && wide.addr().to_ipv4_mapped().is_some() => {
            Err(invalid(true))
        }
        network => Ok(network),
    }
}

/// The length of the prefix that all IPv4-mapped addresses have, `::ffff:0:0/96` (RFC 4291 section 2.5.5.2).
const MAPPED: u8 = 96;

/// A network of IPv4-mapped addresses as the IPv4 network it means.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else {
        return network;
    };
    mapped
        .addr()
        .to_ipv4_mapped()
        .zip(mapped.prefix_len().checked_sub(MAPPED))
        .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}

/// Text that names no network of proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidProxy {
    text: String,
    /// It names an IPv4-mapped address, but more than the mapped ones.
    is_mapped: bool,
}

impl InvalidProxy {
    /// The text that was given.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        if self.is_mapped {
            write!(
                f,
                "`{text}` reaches beyond the IPv4-mapped addresses: write the IPv4 network, or a length of 96 or more"
            )
        } else {
            write!(
                f,
                "`{text}` is neither an address nor a network like 10.0.0.0/8"
            )
        }
    }
}

impl std::error::Error for InvalidProxy {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(networks: &[&str], address: &str, expected: bool) {
        let trusted = TrustedProxies::parse(networks).unwrap();
        assert_eq!(
            trusted.contains(address.parse().unwrap()),
            expected,
            "{networks:?} {address}"
        );
    }

    #[test]
    fn networks_single_addresses_and_mapped_ones() {
        check(&[], "127.0.0.1", false);
        check(&["10.0.0.0/8"], "10.255.0.1", true);
        check(&["10.0.0.0/8"], "11.0.0.1", false);
        check(&["10.0.0.0/8"], "::ffff:10.0.0.1", true);
        check(&["::ffff:10.0.0.0/104"], "10.9.9.9", true);
        check(&["192.0.2.1"], "192.0.2.1", true);
        check(&["192.0.2.1"], "192.0.2.2", false);
        check(&["2001:db8::/32", "::1"], "::1", true);
        check(&["2001:db8::/32"], "2001:db9::1", false);
        check(&["::/0"], "10.0.0.1", false);
    }

    #[test]
    fn text_that_is_no_network_is_named_in_the_error() {
        for text in [
            "",
            "proxy.local",
            "10.0.0.0/33",
            "10.0.0/8",
            "*",
            "::ffff:1.2.3.4/8",
        ] {
            let error = TrustedProxies::parse([text]).unwrap_err();
            assert_eq!(error.text(), text);
        }
    }
}
