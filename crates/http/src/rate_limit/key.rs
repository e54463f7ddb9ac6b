//! Whose slots are counted.

use std::net::IpAddr;

use crate::client_ip::{ClientKey, Ipv6PrefixLength};

/// The 16 bytes a limit counts by: a client, or anything else by a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey([u8; 16]);

impl LimitKey {
    /// A key for any bytes (an account, an API token): the first 128 bits of their BLAKE3 hash, so what
    /// is kept in memory is not the secret itself.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(bytes.as_ref()).as_bytes()[..16]);
        Self(key)
    }

    #[cfg(feature = "redis")]
    pub(super) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Sixteen zeros.
    pub(super) const ZERO: Self = Self([0; 16]);

    /// The two halves as numbers.
    #[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
    pub(super) fn halves(self) -> [u64; 2] {
        let both = u128::from_le_bytes(self.0);
        [both, both >> 64].map(|half| half as u64)
    }
}

impl From<ClientKey> for LimitKey {
    fn from(client: ClientKey) -> Self {
        Self(client.to_bytes())
    }
}

/// The client at this address, IPv6 by its /56.
impl From<IpAddr> for LimitKey {
    fn from(address: IpAddr) -> Self {
        ClientKey::new(address, Ipv6PrefixLength::default()).into()
    }
}
