//! What limits count by.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// How many leading bits of an IPv6 address belong to one client: 1 to 128, default 56.
///
/// Providers hand a household or a server a /56 or a /64, so counting single addresses would give one
/// client billions of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv6PrefixLength(u8);

impl Ipv6PrefixLength {
    /// A prefix of `bits` bits.
    pub const fn new(bits: u8) -> Result<Self, InvalidPrefixLength> {
        match bits {
            1..=128 => Ok(Self(bits)),
            _ => Err(InvalidPrefixLength { bits }),
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl Default for Ipv6PrefixLength {
    fn default() -> Self {
        Self(56)
    }
}

/// A prefix length outside 1 to 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPrefixLength {
    bits: u8,
}

impl fmt::Display for InvalidPrefixLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an IPv6 prefix of {} bits is not between 1 and 128",
            self.bits
        )
    }
}

impl std::error::Error for InvalidPrefixLength {}

/// One client, as limits see it: an IPv4 address, or an IPv6 network of a given prefix length.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, in whatever spelling) is its IPv4 address; no other
/// IPv6 address is. Keys made with the same prefix length are equal exactly for the same client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey(u128);

impl ClientKey {
    /// The key of the client at `address`.
    pub fn new(address: IpAddr, prefix: Ipv6PrefixLength) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => {
                Self(address.to_bits() & (u128::MAX << (128 - u32::from(prefix.bits()))))
            }
        }
    }

    /// The key as 16 bytes: an IPv4 address in its IPv4-mapped form, or the network's first address.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// Prints the address; for IPv6, the first address of the network.
impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::V6(Ipv6Addr::from_bits(self.0))
            .to_canonical()
            .fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(address: &str, bits: u8) -> ClientKey {
        ClientKey::new(
            address.parse().unwrap(),
            Ipv6PrefixLength::new(bits).unwrap(),
        )
    }

    fn check(one: &str, other: &str, bits: u8, same: bool) {
        assert_eq!(
            key(one, bits) == key(other, bits),
            same,
            "{one} {other} /{bits}"
        );
    }

    /// Trap 20 of the limits: mapped addresses by range, not by notation; the /56 mask.
    #[test]
    fn trap_20_one_client_has_one_key() {
        check("::ffff:1.2.3.4", "1.2.3.4", 56, true);
        check("::ffff:102:304", "1.2.3.4", 56, true);
        check("::ffff:1.2.3.4", "::ffff:1.2.3.5", 56, false);
        check("2001:db8::1.2.3.4", "1.2.3.4", 128, false);
        check("::1.2.3.4", "1.2.3.4", 56, false);
        check("2001:db8:0:aaff::1", "2001:db8:0:aa00:ffff::", 56, true);
        check("2001:db8:0:aaff::1", "2001:db8:0:ab00::1", 56, false);
        check("2001:db8::1", "2001:db8::2", 128, false);
        check("2001:db8::1", "3fff::2", 1, true);
    }

    #[test]
    fn lengths_outside_the_address_are_refused() {
        assert!(Ipv6PrefixLength::new(0).is_err());
        assert!(Ipv6PrefixLength::new(129).is_err());
        assert_eq!(Ipv6PrefixLength::default().bits(), 56);
    }

    #[test]
    fn a_key_prints_the_address() {
        assert_eq!(key("::ffff:1.2.3.4", 56).to_string(), "1.2.3.4");
        assert_eq!(key("2001:db8:1:2:3::", 56).to_string(), "2001:db8:1::");
    }

    proptest! {
        #[test]
        fn no_ipv6_network_shares_a_key_with_an_ipv4_address(
            bits in any::<u128>(), four in any::<u32>(), length in 1u8..=128,
        ) {
            let six = Ipv6Addr::from_bits(bits);
            prop_assume!(six.to_ipv4_mapped().is_none());
            let prefix = Ipv6PrefixLength::new(length).unwrap();
            let four = std::net::Ipv4Addr::from_bits(four);
            prop_assert_ne!(ClientKey::new(six.into(), prefix), ClientKey::new(four.into(), prefix));
        }
    }
}
