//! The mistakes that are known.

use std::fmt;
use std::time::Duration;

use ipnet::IpNet;

/// A set-up that will not limit what it is meant to limit. `Display` says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Proxies are trusted that anybody can be.
    TrustsEveryone {
        /// The network.
        network: IpNet,
    },
    /// A forwarding header arrives, and nobody is trusted to write it.
    UntrustedForwarding {
        /// The header.
        header: &'static str,
    },
    /// Requests have no address: neither a layer nor the connection says one.
    AddressUnknown,
    /// Requests of different addresses all have the same key.
    ConstantKey,
    /// One request passed the same limiter twice.
    CountedTwice {
        /// A policy of it.
        policy: String,
    },
    /// Two policies have the same name.
    SameName {
        /// The name.
        policy: String,
    },
    /// Two limiters keep policies of the same name in one store: they count each other's requests.
    SharedCounts {
        /// The name.
        policy: String,
    },
    /// Counts are forgotten with the process long before the window ends.
    OutlivesMemory {
        /// The policy.
        policy: String,
        /// Its window.
        window: Duration,
    },
    /// A policy can never refuse a request, because another one always does so first.
    NeverReached {
        /// The policy.
        policy: String,
        /// The other one.
        behind: String,
    },
    /// A request takes the whole quota.
    WeighsWholeQuota {
        /// The policy.
        policy: String,
    },
    /// IPv6 clients are counted by single addresses, or nearly so.
    Ipv6Addresses {
        /// The length of the prefix.
        bits: u8,
    },
}

impl Warning {
    /// A stable name for this kind of warning.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TrustsEveryone { .. } => "trusts-everyone",
            Self::UntrustedForwarding { .. } => "untrusted-forwarding",
            Self::AddressUnknown => "address-unknown",
            Self::ConstantKey => "constant-key",
            Self::CountedTwice { .. } => "counted-twice",
            Self::SameName { .. } => "same-name",
            Self::SharedCounts { .. } => "shared-counts",
            Self::OutlivesMemory { .. } => "outlives-memory",
            Self::NeverReached { .. } => "never-reached",
            Self::WeighsWholeQuota { .. } => "weighs-whole-quota",
            Self::Ipv6Addresses { .. } => "ipv6-addresses",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrustsEveryone { network } => write!(
                f,
                "the trusted proxies {network} include addresses on the internet, so clients can choose the address \
                 they are counted by: list only your own proxies"
            ),
            Self::UntrustedForwarding { header } => write!(
                f,
                "requests carry {header} from a peer that is no trusted proxy: if it is your proxy, trust its network, \
                 or all its clients share one quota; if clients send it themselves, ignore this"
            ),
            Self::AddressUnknown => f.write_str(
                "requests have no client address, so all clients share one quota: serve with connect info, or put \
                 ClientAddressLayer outside with an address for unknown peers",
            ),
            Self::ConstantKey => f.write_str(
                "requests of different addresses all have the same key, so all clients share one quota: the key \
                 function should tell clients apart",
            ),
            Self::CountedTwice { policy } => write!(
                f,
                "one request passed the limiter of the policy `{policy}` twice and was counted twice: put the layer \
                 around the router once"
            ),
            Self::SameName { policy } => write!(
                f,
                "two policies are named `{policy}`, so clients cannot tell them apart: give each its own name"
            ),
            Self::SharedCounts { policy } => write!(
                f,
                "two limiters keep a policy `{policy}` in one store and count each other's requests: give the \
                 policies different names, or the stores different prefixes"
            ),
            Self::OutlivesMemory { policy, window } => write!(
                f,
                "the policy `{policy}` counts for {} h in this process' memory, and a restart forgets it: use a \
                 shorter window, or the Redis store",
                window.as_secs() / 3_600
            ),
            Self::NeverReached { policy, behind } => write!(
                f,
                "the policy `{policy}` can never refuse a request, because `{behind}` holds less in a window as long \
                 for the same requests: lower its maximum, or remove it"
            ),
            Self::WeighsWholeQuota { policy } => write!(
                f,
                "one request takes the whole quota of the policy `{policy}`: raise its maximum, or lower the weight"
            ),
            Self::Ipv6Addresses { bits } => write!(
                f,
                "IPv6 clients are counted by /{bits}, and one client has at least a whole /64 of addresses: use a \
                 prefix of at most 64"
            ),
        }
    }
}
