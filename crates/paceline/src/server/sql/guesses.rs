//! Wrong passwords and tokens, counted by client: who sends too many waits, whatever is sent next.
//!
//! Counted by the leaky bucket of the crate's limits (GCRA): so many at once, then one each time that a share of the window
//! is over. Memory is bounded: when more clients guess than there is room for, those who have the least left to wait are
//! forgotten first. Not for secrets that can be guessed in a few thousand attempts from as many addresses.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use paceline_http::client_ip::{ClientAddress, Ipv6PrefixLength};
use paceline_http::rate_limit::{Algorithm, LimitKey, MemoryStore, Quota, Timestamp};

/// Clients that are remembered at once: below 1 MiB of memory.
const MOST_CLIENTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// What is known of guesses. Decisions take the time from outside.
#[derive(Debug)]
pub(super) struct Guesses {
    store: MemoryStore,
    prefix: Ipv6PrefixLength,
}

impl Guesses {
    /// `max` guesses of a client at once, and as many in each `window`. IPv6 clients are networks of this prefix.
    pub(super) fn new(max: NonZeroU32, window: Duration, prefix: Ipv6PrefixLength) -> Self {
        let quota = Quota::new(max, window).expect("the configuration takes whole seconds only");
        let quota = quota.with_algorithm(Algorithm::Gcra);
        Self {
            store: MemoryStore::new([quota], MOST_CLIENTS),
            prefix,
        }
    }

    /// How long the client must wait before anything it sends is looked at; whole seconds, rounded up.
    pub(super) fn wait(&self, client: ClientAddress, now: Timestamp) -> Option<Duration> {
        let verdict = self.store.peek(0, self.key(client), 1, now);
        let left = verdict.next_in.as_millis().div_ceil(1000);
        let left = Duration::from_secs(u64::try_from(left).unwrap_or(u64::MAX));
        (!verdict.allowed).then(|| left.max(Duration::from_secs(1)))
    }

    /// Counts a wrong guess. True when it was the last before the client must wait.
    pub(super) fn count(&self, client: ClientAddress, now: Timestamp) -> bool {
        let verdict = self.store.reserve(0, self.key(client), 1, now);
        verdict.allowed && verdict.gauge.remaining == 0
    }

    fn key(&self, client: ClientAddress) -> LimitKey {
        client.key(self.prefix).into()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const MINUTE: u64 = 60_000;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn client(address: &str) -> ClientAddress {
        ClientAddress::new(address.parse().expect("an address"))
    }

    fn guesses() -> Guesses {
        let max = NonZeroU32::new(10).expect("not zero");
        Guesses::new(max, Duration::from_mins(10), Ipv6PrefixLength::default())
    }

    #[test]
    fn ten_at_once_and_then_one_a_minute() {
        let guesses = guesses();
        let somebody = client("192.0.2.1");
        for guess in 1..=10 {
            assert_eq!(guesses.wait(somebody, at(0)), None, "guess {guess}");
            assert_eq!(guesses.count(somebody, at(0)), guess == 10);
        }
        let wait = |now| guesses.wait(somebody, at(now));
        assert_eq!(wait(0), Some(Duration::from_mins(1)));
        assert_eq!(wait(MINUTE - 1), Some(Duration::from_secs(1)));
        assert_eq!(wait(MINUTE), None);
        assert!(guesses.count(somebody, at(MINUTE)));
        assert_eq!(wait(MINUTE), Some(Duration::from_mins(1)));
        assert_eq!(wait(11 * MINUTE), None);
        assert_eq!(guesses.wait(client("192.0.2.2"), at(0)), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let guesses = guesses();
        for guess in 0..10_u8 {
            guesses.count(client(&format!("2001:db8::{guess:x}")), at(0));
        }
        assert!(guesses.wait(client("2001:db8:0:ff::1"), at(0)).is_some());
        assert!(guesses.wait(client("2001:db8:1::1"), at(0)).is_none());
    }

    #[test]
    fn memory_does_not_grow_with_the_clients_that_guess() {
        let guesses = guesses();
        for number in 0..100_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            guesses.count(ClientAddress::new(address), at(0));
        }
        assert!(guesses.store.len() <= MOST_CLIENTS.get());
        assert!(guesses.store.allocated_bytes() < 1 << 20);
    }
}
