//! Addresses, networks and host names.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::Invalid;

/// Parses `127.0.0.1:8080`, `[::1]:8080`. Names are not resolved.
pub(in crate::config) fn address(text: &str) -> Result<SocketAddr, Invalid> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let invalid = Invalid::expected("an IP address and a port, such as \"127.0.0.1:8080\"");
    let bare = text
        .strip_prefix("http://")
        .unwrap_or(text)
        .trim_end_matches('/');
    let (host, port) = match bare.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port),
        _ if bare.parse::<u16>().is_ok() => ("", bare),
        _ => (bare, "8080"),
    };
    Err(match host {
        "" | "localhost" => invalid.instead(format!("127.0.0.1:{port}")),
        "*" => invalid.instead(format!("0.0.0.0:{port}")),
        _ => match bare.parse::<IpAddr>().or_else(|_| host.parse()) {
            Ok(ip) if bare.parse::<IpAddr>().is_ok() => {
                invalid.instead(SocketAddr::new(ip, 8080).to_string())
            }
            Ok(ip) => invalid.instead(format!("[{ip}]:{port}")),
            Err(_) => invalid,
        },
    })
}

/// Parses `off` as `None`, anything else as [`address`].
pub(in crate::config) fn optional_address(text: &str) -> Result<Option<SocketAddr>, Invalid> {
    if text == "off" {
        return Ok(None);
    }
    address(text).map(Some).map_err(|mut invalid| {
        invalid.expected.push_str(", or \"off\"");
        invalid
    })
}

/// Parses `10.0.0.0/8`, `fd00::/8`, or one address.
pub(in crate::config) fn network(text: &str) -> Result<IpNet, Invalid> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(ip));
    }
    let invalid = Invalid::expected("a network such as \"10.0.0.0/8\" or \"fd00::/8\"");
    match text.parse::<IpNet>() {
        Ok(network) if network.trunc() == network => Ok(network),
        Ok(network) => Err(invalid.instead(network.trunc().to_string())),
        Err(_) => Err(invalid),
    }
}

/// Parses a name of the `Host` header without its port, or `*`.
pub(in crate::config) fn host(text: &str) -> Result<String, Invalid> {
    let invalid = Invalid::expected(
        "a host name or address without a port, such as \"shop.example.com\", or \"*\" for any",
    );
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or_default();
    let name = match bare.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            if port.parse::<u16>().is_err() {
                bare
            } else {
                name
            }
        }
        _ => bare,
    };
    let wellformed = name == "*"
        || name
            .strip_prefix('[')
            .and_then(|ip| ip.strip_suffix(']'))
            .is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        || (!name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)));
    match wellformed {
        true if name == text => Ok(name.to_ascii_lowercase()),
        true => Err(invalid.instead(name)),
        false => Err(match text.parse::<std::net::Ipv6Addr>() {
            Ok(ip) => invalid.instead(format!("[{ip}]")),
            Err(_) => invalid,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::check;
    use super::*;

    #[test]
    fn addresses() {
        check(address, "127.0.0.1:8080", Ok(([127, 0, 0, 1], 8080).into()));
        check(address, "[::1]:80", Ok("[::1]:80".parse().unwrap()));
        check(address, "localhost:8080", Err(Some("127.0.0.1:8080")));
        check(
            address,
            "http://localhost:8080/",
            Err(Some("127.0.0.1:8080")),
        );
        check(address, ":9000", Err(Some("127.0.0.1:9000")));
        check(address, "9000", Err(Some("127.0.0.1:9000")));
        check(address, "127.0.0.1", Err(Some("127.0.0.1:8080")));
        check(address, "::1", Err(Some("[::1]:8080")));
        check(address, "*:80", Err(Some("0.0.0.0:80")));
        check(address, "shop.example.com:80", Err(None));
        check(address, "127.0.0.1:99999", Err(None));
        check(optional_address, "off", Ok(None));
        check(optional_address, "8081", Err(Some("127.0.0.1:8081")));
    }

    #[test]
    fn networks() {
        check(network, "10.0.0.0/8", Ok("10.0.0.0/8".parse().unwrap()));
        check(network, "10.0.0.1", Ok("10.0.0.1/32".parse().unwrap()));
        check(network, "10.0.0.1/8", Err(Some("10.0.0.0/8")));
        check(network, "10.0.0.0/33", Err(None));
    }

    #[test]
    fn hosts() {
        check(host, "Shop.Example.com", Ok("shop.example.com".to_owned()));
        check(host, "[::1]", Ok("[::1]".to_owned()));
        check(host, "*", Ok("*".to_owned()));
        check(host, "::1", Err(Some("[::1]")));
        check(host, "shop.example.com:80", Err(Some("shop.example.com")));
        check(host, "[::1]:80", Err(Some("[::1]")));
        check(
            host,
            "https://shop.example.com/x",
            Err(Some("shop.example.com")),
        );
        check(host, "", Err(None));
        check(host, "a b", Err(None));
    }
}
