//! What the first requests show.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ConnectInfo;
use http::Request;
use http::header::FORWARDED;

use super::super::{LimitKey, Policy, RequestKey};
use super::Warning;
use super::check::{self, SetUp};
use crate::client_ip::ClientAddress;

/// How many requests are looked at.
const REQUESTS: u32 = 1_000;
/// How many of them it takes to call a key constant.
const ENOUGH: u32 = 20;

/// Looks at the first requests of a layer, and tells each kind of mistake once.
#[derive(Debug)]
pub(in super::super) struct Watch {
    identity: usize,
    policy: String,
    /// Requests still looked at.
    left: AtomicU32,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    warnings: Vec<Warning>,
    by_address: bool,
    requests: u32,
    key: Option<LimitKey>,
    address: Option<IpAddr>,
    keys_differ: bool,
    addresses_differ: bool,
}

/// The limiters a request has passed.
#[derive(Debug, Clone)]
struct Passed(Vec<usize>);

impl Watch {
    /// Tells the mistakes in the policies at once. `identity` tells the limiter from others.
    pub(in super::super) fn new(policies: &[Policy], identity: usize, is_shared: bool) -> Self {
        let first = policies.first();
        let watch = Self {
            identity,
            policy: first.map_or_else(String::new, |policy| policy.name().to_owned()),
            left: AtomicU32::new(REQUESTS),
            seen: Mutex::new(Seen {
                by_address: true,
                ..Seen::default()
            }),
        };
        for warning in check::check(&SetUp::new(policies).with_shared_store(is_shared)) {
            watch.lock().tell(warning);
        }
        watch
    }

    /// Tells mistakes found elsewhere.
    #[cfg(feature = "redis")]
    pub(in super::super) fn tell(&self, warning: Warning) {
        self.lock().tell(warning);
    }

    pub(in super::super) fn key_is(&self, key: &RequestKey) {
        let mut seen = self.lock();
        seen.by_address = key.is_address();
        if let Some(warning) = check::key(key) {
            seen.tell(warning);
        }
    }

    pub(in super::super) fn warnings(&self) -> Vec<Warning> {
        self.lock().warnings.clone()
    }

    /// Looks at a request counted under `key`. After the first thousand this is one load.
    pub(in super::super) fn look<B>(&self, request: &mut Request<B>, key: LimitKey) {
        if self.left.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .ok();
        let mut seen = self.lock();
        seen.look_at_address(request);
        seen.look_at_key(request, key);
        let passed = request
            .extensions_mut()
            .get_or_insert_with(|| Passed(Vec::new()));
        if passed.0.contains(&self.identity) {
            seen.tell(Warning::CountedTwice {
                policy: self.policy.clone(),
            });
        } else {
            passed.0.push(self.identity);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Logs and keeps a warning unless one of its kind was told before.
    fn tell(&mut self, warning: Warning) {
        let told = |before: &Warning| before.code() == warning.code();
        if !self.warnings.iter().any(told) {
            tracing::warn!(code = warning.code(), "rate limit: {warning}");
            self.warnings.push(warning);
        }
    }

    fn look_at_address<B>(&mut self, request: &Request<B>) {
        if !self.by_address {
            return;
        }
        let extensions = request.extensions();
        if extensions.get::<ClientAddress>().is_some() {
            return;
        }
        if extensions.get::<ConnectInfo<SocketAddr>>().is_none() {
            self.tell(Warning::AddressUnknown);
        } else if request.headers().contains_key("x-forwarded-for") {
            self.tell(Warning::UntrustedForwarding {
                header: "X-Forwarded-For",
            });
        } else if request.headers().contains_key(FORWARDED) {
            self.tell(Warning::UntrustedForwarding {
                header: "Forwarded",
            });
        }
    }

    fn look_at_key<B>(&mut self, request: &Request<B>, key: LimitKey) {
        let address = ClientAddress::of(request.extensions()).ip();
        self.requests += 1;
        self.keys_differ |= *self.key.get_or_insert(key) != key;
        self.addresses_differ |= *self.address.get_or_insert(address) != address;
        let constant = self.addresses_differ && !self.keys_differ && !self.by_address;
        if constant && self.requests >= ENOUGH {
            self.tell(Warning::ConstantKey);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Limiter;
    use super::*;

    fn peer(number: u8) -> ConnectInfo<SocketAddr> {
        ConnectInfo(SocketAddr::from(([192, 0, 2, number], 4_000)))
    }

    fn watch(key: Option<&RequestKey>) -> Watch {
        let limiter = Limiter::new([]);
        let watch = Watch::new(&[], limiter.identity(), false);
        if let Some(key) = key {
            watch.key_is(key);
        }
        watch
    }

    #[track_caller]
    fn check(watch: &Watch, codes: &[&str]) {
        let told = watch.warnings();
        let told: Vec<&str> = told.iter().map(Warning::code).collect();
        assert_eq!(told, codes);
    }

    fn look(watch: &Watch, request: &mut Request<()>) {
        watch.look(request, LimitKey::of("one"));
    }

    #[test]
    fn a_request_without_an_address_is_told_once() {
        let watch = watch(None);
        look(&watch, &mut Request::new(()));
        look(&watch, &mut Request::new(()));
        check(&watch, &["address-unknown"]);
    }

    #[test]
    fn a_forwarding_header_nobody_is_trusted_for_is_told_once() {
        for header in ["x-forwarded-for", "forwarded"] {
            let watch = watch(None);
            let request = |trusted: bool| {
                let mut request = Request::get("/").header(header, "for=x").body(()).unwrap();
                request.extensions_mut().insert(peer(1));
                if trusted {
                    let client = ClientAddress::new(IpAddr::from([203, 0, 113, 9]));
                    request.extensions_mut().insert(client);
                }
                request
            };
            look(&watch, &mut request(true));
            check(&watch, &[]);
            look(&watch, &mut request(false));
            look(&watch, &mut request(false));
            check(&watch, &["untrusted-forwarding"]);
        }
    }

    #[test]
    fn a_key_that_is_the_same_for_everybody_is_told_once() {
        let key = RequestKey::function(|_| Some(LimitKey::of("one")));
        let watch = watch(Some(&key));
        for number in 0..40 {
            let mut request = Request::new(());
            request.extensions_mut().insert(peer(number % 2));
            look(&watch, &mut request);
        }
        check(&watch, &["constant-key"]);
    }

    #[test]
    fn one_client_alone_is_no_constant_key() {
        let key = RequestKey::function(|_| Some(LimitKey::of("one")));
        let watch = watch(Some(&key));
        for _ in 0..40 {
            let mut request = Request::new(());
            request.extensions_mut().insert(peer(1));
            look(&watch, &mut request);
        }
        check(&watch, &[]);
    }

    #[test]
    fn a_request_that_comes_twice_is_told_once() {
        let watch = watch(None);
        let mut request = Request::new(());
        request.extensions_mut().insert(peer(1));
        look(&watch, &mut request);
        check(&watch, &[]);
        look(&watch, &mut request);
        look(&watch, &mut request);
        check(&watch, &["counted-twice"]);
    }

    #[test]
    fn only_the_first_requests_are_looked_at() {
        let watch = watch(None);
        for _ in 0..REQUESTS {
            let mut request = Request::new(());
            request.extensions_mut().insert(peer(1));
            look(&watch, &mut request);
        }
        look(&watch, &mut Request::new(()));
        check(&watch, &[]);
    }
}
