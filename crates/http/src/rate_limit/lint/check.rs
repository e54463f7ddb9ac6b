//! What can be known before any request.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::super::{Algorithm, Policy, RequestKey};
use super::Warning;
use crate::client_ip::TrustedProxies;

/// The longest window for which counts in memory do not raise a question: a day.
const MEMORY_LASTS: Duration = Duration::from_hours(24);
/// The longest prefix that is one client's.
const CLIENT_BITS: u8 = 64;
/// A network of proxies outside the private ranges should be no larger than that.
const LARGEST_IPV4: u8 = 8;
const LARGEST_IPV6: u8 = 16;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct SetUp<'set_up> {
    policies: &'set_up [Policy],
    proxies: Option<&'set_up TrustedProxies>,
    key: Option<&'set_up RequestKey>,
    is_shared: bool,
}

impl<'set_up> SetUp<'set_up> {
    /// Policies that are counted in memory.
    pub const fn new(policies: &'set_up [Policy]) -> Self {
        Self {
            policies,
            proxies: None,
            key: None,
            is_shared: false,
        }
    }

    /// Behind these proxies.
    pub const fn with_proxies(mut self, proxies: &'set_up TrustedProxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Counted by this key.
    pub const fn with_key(mut self, key: &'set_up RequestKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Counted in a store that outlives the process.
    pub const fn with_shared_store(mut self, is_shared: bool) -> Self {
        self.is_shared = is_shared;
        self
    }
}

/// The mistakes in a set-up, each once.
pub fn check(set_up: &SetUp<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    let networks = set_up.proxies.map_or(&[][..], TrustedProxies::networks);
    found.extend(
        networks
            .iter()
            .filter(|network| is_everyone(network))
            .map(|network| Warning::TrustsEveryone { network: *network }),
    );
    found.extend(set_up.key.and_then(key));
    for (index, policy) in set_up.policies.iter().enumerate() {
        let before = &set_up.policies[..index];
        let name = || policy.name().to_owned();
        if before.iter().any(|other| other.name() == policy.name()) {
            found.push(Warning::SameName { policy: name() });
        }
        if policy.quota().window() > MEMORY_LASTS && !set_up.is_shared {
            found.push(Warning::OutlivesMemory {
                policy: name(),
                window: policy.quota().window(),
            });
        }
        if policy.weight(None) == policy.quota().capacity().get() && policy.weight(None) > 1 {
            found.push(Warning::WeighsWholeQuota { policy: name() });
        }
        let others = set_up.policies.iter().enumerate();
        let ahead = others
            .filter(|(other, _)| *other != index)
            .find(|(_, other)| hides(other, policy));
        if let Some((_, other)) = ahead {
            found.push(Warning::NeverReached {
                policy: name(),
                behind: other.name().to_owned(),
            });
        }
    }
    found
}

/// What is wrong with a key.
pub(super) fn key(key: &RequestKey) -> Option<Warning> {
    let bits = key.ipv6_prefix().bits();
    (bits > CLIENT_BITS).then_some(Warning::Ipv6Addresses { bits })
}

/// Whether a network holds addresses anybody can have: too large for one operator, and not private.
fn is_everyone(network: &IpNet) -> bool {
    let largest = match network.addr() {
        IpAddr::V4(_) => LARGEST_IPV4,
        IpAddr::V6(_) => LARGEST_IPV6,
    };
    let private = match network.addr() {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    };
    network.prefix_len() < largest || (network.prefix_len() == largest && !private)
}

/// Whether every request `policy` would refuse was refused by `other` before: the same requests with the
/// same weight, less of them, in fixed windows as long.
fn hides(other: &Policy, policy: &Policy) -> bool {
    let fixed = |policy: &Policy| {
        policy.quota().algorithm() == Algorithm::FixedWindow && policy.cost().is_fixed()
    };
    fixed(other)
        && fixed(policy)
        && other.path() == policy.path()
        && other.weight(None) == policy.weight(None)
        && other.quota().window() == policy.quota().window()
        && other.quota().max() < policy.quota().max()
}

#[cfg(test)]
mod tests {
    use super::super::super::{PathPrefix, Quota};
    use super::*;
    use crate::client_ip::Ipv6PrefixLength;
    use std::num::NonZeroU32;

    fn policy(name: &str, max: u32, window: Duration) -> Policy {
        let quota = Quota::new(NonZeroU32::new(max).unwrap(), window).unwrap();
        Policy::new(name, quota).unwrap()
    }

    #[track_caller]
    fn expect(set_up: &SetUp<'_>, codes: &[&str]) {
        let found = check(set_up);
        let told: Vec<&str> = found.iter().map(Warning::code).collect();
        assert_eq!(told, codes, "{set_up:?}");
        for warning in found {
            let text = warning.to_string();
            assert!(text.contains(": ") && !text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn policies_that_do_not_limit_are_told() {
        let minute = Duration::from_mins(1);
        let api = policy("api", 100, minute);
        expect(&SetUp::new(std::slice::from_ref(&api)), &[]);
        let twice = [api.clone(), policy("api", 5, Duration::from_hours(1))];
        expect(&SetUp::new(&twice), &["same-name"]);
        let long = [policy("week", 100, Duration::from_hours(25))];
        expect(&SetUp::new(&long), &["outlives-memory"]);
        expect(&SetUp::new(&long).with_shared_store(true), &[]);
        let heavy = [api.clone().with_weight(NonZeroU32::new(100).unwrap())];
        expect(&SetUp::new(&heavy), &["weighs-whole-quota"]);
        let hidden = [policy("more", 101, minute), api.clone()];
        expect(&SetUp::new(&hidden), &["never-reached"]);
        let elsewhere = policy("more", 101, minute).with_path(PathPrefix::new("/x").unwrap());
        expect(&SetUp::new(&[elsewhere, api]), &[]);
    }

    #[test]
    fn proxies_that_are_everyone_are_told() {
        for (network, told) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("8.0.0.0/8", true),
            ("10.0.0.0/8", false),
            ("127.0.0.0/8", false),
            ("203.0.113.0/24", false),
            ("2001::/16", true),
            ("2001:db8::/32", false),
        ] {
            let proxies = TrustedProxies::parse([network]).unwrap();
            let codes: &[&str] = if told { &["trusts-everyone"] } else { &[] };
            expect(&SetUp::new(&[]).with_proxies(&proxies), codes);
        }
    }

    #[test]
    fn ipv6_clients_have_networks() {
        for (bits, told) in [(48, false), (64, false), (65, true), (128, true)] {
            let key = RequestKey::address(Ipv6PrefixLength::new(bits).unwrap());
            let codes: &[&str] = if told { &["ipv6-addresses"] } else { &[] };
            expect(&SetUp::new(&[]).with_key(&key), codes);
        }
    }
}
