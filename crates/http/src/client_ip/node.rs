//! One hop as a proxy writes it: an address, perhaps with a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address in `text`: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
///
/// `None` for everything else: names, `unknown`, obfuscated identifiers (RFC 7239, section 6.3), `unix:`,
/// an address with a bad port. IPv4-mapped addresses come back as IPv4.
pub(super) fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let address = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
                return None;
            }
            IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
        }
        None => match text.split_once(':') {
            Some((address, port)) if is_port(port) => IpAddr::V4(address.parse::<Ipv4Addr>().ok()?),
            _ => text.parse().ok()?,
        },
    };
    Some(address.to_canonical())
}

/// A port number, or an obfuscated port (RFC 7239, section 6.2), which starts with an underscore.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => {
            matches!(text.len(), 1..=5)
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse::<u16>().is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn addresses_with_and_without_ports() {
        check("192.0.2.1", Some("192.0.2.1"));
        check(" 192.0.2.1\t", Some("192.0.2.1"));
        check("192.0.2.1:4711", Some("192.0.2.1"));
        check("192.0.2.1:_port", Some("192.0.2.1"));
        check("2001:db8::1", Some("2001:db8::1"));
        check("[2001:db8::1]", Some("2001:db8::1"));
        check("[2001:db8::1]:443", Some("2001:db8::1"));
        check("::ffff:1.2.3.4", Some("1.2.3.4"));
        check("[::ffff:102:304]:1", Some("1.2.3.4"));
        check("2001:db8::1.2.3.4", Some("2001:db8::102:304"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        let wrong = [
            "",
            "unknown",
            "_hidden",
            "unix:",
            "unix:/run/s",
            "localhost",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:99999",
            "192.0.2.1:+80",
            "192.0.2.1:_",
            "[192.0.2.1]",
            "[::1",
            "[::1]x",
            "[::1]:",
            "fe80::1%eth0",
            "1.2.3.4, 5.6.7.8",
            "999.1.1.1",
            "01.2.3.4",
        ];
        for text in wrong {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn every_address_is_read_back(address in any::<IpAddr>(), port in any::<u16>()) {
            let expected = Some(address.to_canonical());
            prop_assert_eq!(parse(address.to_string().as_bytes()), expected);
            prop_assert_eq!(parse(std::net::SocketAddr::new(address, port).to_string().as_bytes()), expected);
        }
    }
}
