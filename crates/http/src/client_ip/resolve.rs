//! From the peer to the client, one trusted hop at a time.

use std::net::IpAddr;

use http::HeaderMap;

use super::elements::from_the_right;
use super::{ForwardingHeader, TrustedProxies, forwarded, node};

/// The address of the client behind `peer`, in canonical form (IPv4-mapped as IPv4).
///
/// The header's lines and elements are read from the right. The walk ends at the first address that is
/// no trusted proxy, which is the client; at an element that is no address, and when nothing is left, the
/// answer is the last trusted hop. Empty elements are skipped (RFC 9110, section 5.6.1). Work is linear in
/// the header's length, and nothing is read when the peer is not trusted.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut hop = peer.to_canonical();
    if !trusted.contains(hop) {
        return hop;
    }
    let parse = match trusted.header() {
        ForwardingHeader::XForwardedFor => node::parse,
        ForwardingHeader::Forwarded => forwarded::parse,
    };
    let name = trusted.header().name();
    let lines = headers.get_all(&name).into_iter().rev();
    let elements = lines
        .flat_map(|line| from_the_right(line.as_bytes(), b','))
        .filter(|element| !element.trim_ascii().is_empty());
    for element in elements {
        let Some(address) = parse(element) else {
            return hop;
        };
        hop = address;
        if !trusted.contains(hop) {
            return hop;
        }
    }
    hop
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const PROXIES: [&str; 2] = ["10.0.0.0/8", "2001:db8:ffff::/48"];

    fn resolve_lines(header: ForwardingHeader, peer: &str, lines: &[&[u8]]) -> IpAddr {
        let trusted = TrustedProxies::parse(PROXIES).unwrap().with_header(header);
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(header.name(), value);
            }
        }
        resolve(peer.parse().unwrap(), &headers, &trusted)
    }

    fn check(header: ForwardingHeader, peer: &str, lines: &[&str], expected: &str) {
        let bytes: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let found = resolve_lines(header, peer, &bytes);
        assert_eq!(
            found,
            expected.parse::<IpAddr>().unwrap(),
            "{header:?} {peer} {lines:?}"
        );
    }

    /// Trap 20 of the limits: a spoofed left end, several lines, ports, brackets, quotes, `unix` peers.
    #[test]
    fn trap_20_the_client_is_the_first_untrusted_address_from_the_right() {
        use ForwardingHeader::{Forwarded, XForwardedFor};
        check(XForwardedFor, "192.0.2.1", &["6.6.6.6"], "192.0.2.1");
        check(XForwardedFor, "10.0.0.1", &[], "10.0.0.1");
        check(
            XForwardedFor,
            "10.0.0.1",
            &["6.6.6.6, 203.0.113.9"],
            "203.0.113.9",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["6.6.6.6", "203.0.113.9, 10.0.0.2"],
            "203.0.113.9",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["6.6.6.6, 203.0.113.9, 10.0.0.2:80"],
            "203.0.113.9",
        );
        check(
            XForwardedFor,
            "::ffff:10.0.0.1",
            &["[2001:db8::5]:99"],
            "2001:db8::5",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["::ffff:cb00:7109"],
            "203.0.113.9",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["203.0.113.9, , "],
            "203.0.113.9",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["10.0.0.3, 10.0.0.2"],
            "10.0.0.3",
        );
        check(
            Forwarded,
            "10.0.0.1",
            &[r#"for=6.6.6.6, for="[2001:db8::5]:99""#],
            "2001:db8::5",
        );
        check(
            Forwarded,
            "10.0.0.1",
            &[r#"for="6.6.6.6, for=203.0.113.9"#],
            "203.0.113.9",
        );
        check(
            Forwarded,
            "10.0.0.1",
            &["for=203.0.113.9", r#"for="[2001:db8:ffff::1]";by=10.0.0.1"#],
            "203.0.113.9",
        );
    }

    #[test]
    fn trap_20_text_that_is_no_address_ends_at_the_last_trusted_hop() {
        use ForwardingHeader::{Forwarded, XForwardedFor};
        check(
            XForwardedFor,
            "10.0.0.1",
            &["203.0.113.9, unknown"],
            "10.0.0.1",
        );
        check(
            XForwardedFor,
            "10.0.0.1",
            &["203.0.113.9, unix:, 10.0.0.2"],
            "10.0.0.2",
        );
        check(
            Forwarded,
            "10.0.0.1",
            &["for=203.0.113.9, for=_hidden"],
            "10.0.0.1",
        );
        check(
            Forwarded,
            "10.0.0.1",
            &["for=203.0.113.9, proto=https"],
            "10.0.0.1",
        );
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let trusted = TrustedProxies::parse(PROXIES).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("for=6.6.6.6"));
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(resolve(peer, &headers, &trusted), peer);
    }

    /// Whatever a client may write: addresses, those of the proxies among them, and any bytes.
    fn written() -> impl Strategy<Value = Vec<u8>> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(|octets| IpAddr::from(octets).to_string()),
            any::<[u8; 16]>().prop_map(|octets| IpAddr::from(octets).to_string()),
            (0u8..8).prop_map(|number| format!("10.0.0.{number}")),
            Just("2001:db8:ffff::7".to_owned()),
            Just("::ffff:10.0.0.1".to_owned()),
        ];
        let spelled = (address, 0usize..6).prop_map(|(address, spelling)| match spelling {
            0 => format!("for={address}"),
            1 => format!("for=\"[{address}]:80\""),
            2 => format!("[{address}]:80"),
            3 => format!("\"{address}"),
            4 => format!("{address};for=\\\""),
            _ => address,
        });
        let part = prop_oneof![
            4 => spelled.prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 0..12),
        ];
        proptest::collection::vec(part, 0..5).prop_map(|parts| parts.join(&b", "[..]))
    }

    proptest! {
        /// Trap 20 of the limits: a peer that is no trusted proxy is the client, whatever it sends.
        #[test]
        fn trap_20_an_untrusted_peer_cannot_choose_its_address(
            peer in any::<[u8; 4]>(), lines in proptest::collection::vec(written(), 0..4),
        ) {
            let peer = IpAddr::from(peer);
            let trusted = TrustedProxies::parse(PROXIES).unwrap();
            prop_assume!(!trusted.contains(peer));
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            for header in [ForwardingHeader::XForwardedFor, ForwardingHeader::Forwarded] {
                prop_assert_eq!(resolve_lines(header, &peer.to_string(), &lines), peer);
            }
        }

        /// Behind any number of trusted proxies, each of which adds the peer it saw at the right, the
        /// address found is the peer of the outermost one, whatever that peer sent.
        #[test]
        fn trap_20_behind_proxies_the_address_is_the_one_the_outermost_saw(
            client in any::<[u8; 4]>(), sent in proptest::collection::vec(written(), 0..3),
            hops in 1usize..4, own_line in any::<bool>(),
        ) {
            let client = IpAddr::from(client);
            let trusted = TrustedProxies::parse(PROXIES).unwrap();
            prop_assume!(!trusted.contains(client));
            for header in [ForwardingHeader::XForwardedFor, ForwardingHeader::Forwarded] {
                let element = |address: IpAddr| match header {
                    ForwardingHeader::Forwarded => format!("for={address}"),
                    ForwardingHeader::XForwardedFor => address.to_string(),
                };
                let seen = (0..hops).map(|hop| match hop {
                    0 => client,
                    hop => IpAddr::from([10, 0, 0, u8::try_from(hop).unwrap()]),
                });
                let seen: Vec<String> = seen.map(element).collect();
                let mut lines = sent.clone();
                lines.retain(|line| HeaderValue::from_bytes(line).is_ok());
                match lines.last_mut() {
                    // A proxy joins what it adds to the last line, or writes one of its own.
                    Some(last) if !own_line => {
                        last.extend_from_slice(b", ");
                        last.extend_from_slice(seen.join(", ").as_bytes());
                    }
                    _ => lines.push(seen.join(", ").into_bytes()),
                }
                let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
                prop_assert_eq!(resolve_lines(header, "10.9.9.9", &lines), client);
            }
        }

        #[test]
        fn whatever_the_client_writes_on_the_left_the_proxys_word_counts(
            left in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let expected: IpAddr = "203.0.113.9".parse().unwrap();
            let x = [left.as_slice(), b", 203.0.113.9"].concat();
            let f = [left.as_slice(), b", for=203.0.113.9"].concat();
            if HeaderValue::from_bytes(&x).is_ok() {
                prop_assert_eq!(resolve_lines(ForwardingHeader::XForwardedFor, "10.0.0.1", &[&x]), expected);
                prop_assert_eq!(resolve_lines(ForwardingHeader::Forwarded, "10.0.0.1", &[&f]), expected);
            }
        }
    }
}
