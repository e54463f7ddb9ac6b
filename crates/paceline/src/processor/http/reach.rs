//! Which addresses deliveries may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a target may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only addresses of the public internet.
    Public,
    /// Private and loopback ones too.
    Any,
}

impl Reach {
    /// Whether deliveries may go to `ip`.
    pub(crate) fn allows(self, ip: IpAddr) -> bool {
        self == Self::Any || is_public(ip)
    }
}

/// Whether `ip` is an address of the public internet: none of those that RFC 6890 and its successors set
/// apart, also when it stands inside an IPv6 address.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inside) = embedded(ip) {
        return is_public_v4(inside);
    }
    let [a, b, ..] = ip.segments();
    // Everything that is given out lies in 2000::/3.
    let global = a & 0xe000 == 0x2000;
    let set_apart = match a {
        // 2001::/23 protocols, 2001:db8::/32 documentation.
        0x2001 => b < 0x0200 || b == 0x0db8,
        // Documentation, 3fff::/20.
        0x3fff => b < 0x1000,
        _ => false,
    };
    global && !set_apart
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (NAT64) or tunnelled (6to4).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = ip.octets();
    let at = |start: usize| {
        Ipv4Addr::new(
            octets[start],
            octets[start + 1],
            octets[start + 2],
            octets[start + 3],
        )
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(at(12)),
        [0x2002, ..] => Some(at(2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_set_apart_are_told_from_public_ones() {
        let public = [
            "1.1.1.1",
            "172.32.0.1",
            "192.0.1.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ];
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.8.8.8",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for ip in public {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in private {
            let ip = ip.parse().unwrap();
            assert!(!is_public(ip), "{ip}");
            assert!(Reach::Any.allows(ip) && !Reach::Public.allows(ip));
        }
    }
}
