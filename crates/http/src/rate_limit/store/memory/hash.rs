//! Where a count lies: a hash of its key and policy that only this store can compute.

use std::hash::{BuildHasher, RandomState};

use super::super::super::LimitKey;

/// Secrets of one store. Clients choose their keys, so which of them share a place must not be known: each half of
/// a key meets a random number before the two are multiplied, and the product is multiplied once more.
#[derive(Debug, Clone)]
pub(super) struct KeyHasher {
    secrets: [u64; 4],
}

impl KeyHasher {
    /// Secrets from the operating system's randomness.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            secrets: [0u64, 1, 2, 3].map(|number| random.hash_one(number)),
        }
    }

    /// All bits depend on all of the key and the policy.
    pub(super) fn hash(&self, key: LimitKey, policy: u32) -> u64 {
        let [low, high] = key.halves();
        let [first, second, third, fourth] = self.secrets;
        let mixed = fold(low ^ first, high ^ second);
        fold(mixed ^ third, u64::from(policy) ^ fourth)
    }
}

/// Both halves of a product.
#[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::IpAddr;

    use super::*;

    /// Keys as close as clients can choose them: how many share one of a thousand places by the high bits, and by
    /// the low ones.
    #[test]
    fn neighbours_are_spread_evenly() {
        const PLACES: usize = 1_000;
        const EACH: usize = 20;
        let four = |number: u32| IpAddr::from(number.to_be_bytes());
        let six = |number: u32| IpAddr::from((u128::from(number) << 72).to_be_bytes());
        for _ in 0..8 {
            let hasher = KeyHasher::new();
            for address in [four, six] {
                let hash = |number| hasher.hash(LimitKey::from(address(number)), 0);
                let numbers = 0..u32::try_from(PLACES * EACH).unwrap();
                for shift in [0, 32] {
                    let mut places = vec![0usize; PLACES];
                    for number in numbers.clone() {
                        let part = (hash(number) >> shift) & u64::from(u32::MAX);
                        places[usize::try_from((part * PLACES as u64) >> 32).unwrap()] += 1;
                    }
                    let most = places.iter().max().unwrap();
                    assert!(*most < EACH * 3, "{most} in one place");
                }
            }
        }
    }

    #[test]
    fn policies_and_stores_differ() {
        let key = LimitKey::of("one");
        let stores = [KeyHasher::new(), KeyHasher::new()];
        let found = stores
            .iter()
            .flat_map(|hasher| (0..100).map(|policy| hasher.hash(key, policy)));
        assert_eq!(found.collect::<HashSet<_>>().len(), 200);
    }
}
