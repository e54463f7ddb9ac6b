//! Which node of a cluster has which keys ("Key distribution model" of the Redis Cluster specification).

use redis::{Client, ConnectionAddr, Value};

const SLOTS: u16 = 16_384;

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Empty where a node names the host it is reached by.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Endpoint {
    /// `host:port`, as a redirection names a node.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok().filter(|port| *port != 0)?,
        })
    }

    /// The host a client reaches its node by.
    pub(super) fn host_of(client: &Client) -> String {
        match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
            _ => "127.0.0.1".to_owned(),
        }
    }

    /// This one; where it names no host, on that of the node that named it.
    pub(super) fn or_host_of(self, client: &Client) -> Self {
        if self.host.is_empty() {
            let host = Self::host_of(client);
            return Self { host, ..self };
        }
        self
    }
}

/// The master of each range of slots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Slots(Vec<Range>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    master: Endpoint,
}

impl Slots {
    /// What a node answered to `CLUSTER SLOTS`; it is reached at `host`. None when it is something else, or names
    /// nobody.
    pub(super) fn read(value: &Value, host: &str) -> Option<Self> {
        let Value::Array(ranges) = value else {
            return None;
        };
        let ranges: Option<Vec<Range>> =
            ranges.iter().map(|range| read_range(range, host)).collect();
        ranges.filter(|ranges| !ranges.is_empty()).map(Self)
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Endpoint> {
        let mut ranges = self.0.iter();
        let range = ranges.find(|range| (range.first..=range.last).contains(&slot));
        range.map(|range| &range.master)
    }

    pub(super) fn has(&self, endpoint: &Endpoint) -> bool {
        self.0.iter().any(|range| range.master == *endpoint)
    }
}

/// First and last slot, the master, then its replicas. A node is a host, a port and more.
fn read_range(value: &Value, host: &str) -> Option<Range> {
    let Value::Array(parts) = value else {
        return None;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(master),
        ..,
    ] = parts.as_slice()
    else {
        return None;
    };
    let slot = |number: i64| u16::try_from(number).ok().filter(|slot| *slot < SLOTS);
    let (first, last) = (slot(*first)?, slot(*last)?);
    let [named, Value::Int(port), ..] = master.as_slice() else {
        return None;
    };
    let named = match named {
        Value::BulkString(named) => std::str::from_utf8(named).ok()?,
        Value::SimpleString(named) => named.as_str(),
        Value::Nil => "",
        _ => return None,
    };
    // A node that does not know its own name is reached as the one that was asked.
    let host = if named.is_empty() || named == "?" {
        host
    } else {
        named
    };
    Some(Range {
        first,
        last,
        master: Endpoint {
            host: host.to_owned(),
            port: u16::try_from(*port).ok().filter(|port| *port != 0)?,
        },
    })
}

/// The slot of a key: the CRC16 of what stands between its first opening brace and the next closing one, or of all of
/// it.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let position = |bytes: &[u8], wanted: u8| bytes.iter().position(|byte| *byte == wanted);
    let tag = position(key, b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let length = position(rest, b'}').filter(|length| *length > 0)?;
        Some(&rest[..length])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CCITT, the XMODEM variant.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let master = Value::Array(vec![host, Value::Int(port), text("name")]);
        Value::Array(vec![Value::Int(first), Value::Int(last), master])
    }

    #[test]
    fn a_map_of_slots_names_a_master_for_each() {
        let map = Value::Array(vec![
            range(0, 99, text("10.0.0.1"), 7_000),
            range(100, 16_383, Value::Nil, 7_001),
        ]);
        let slots = Slots::read(&map, "asked").unwrap();
        let owner = |slot| {
            slots
                .owner(slot)
                .map(|node| (node.host.as_str(), node.port))
        };
        assert_eq!(owner(99), Some(("10.0.0.1", 7_000)));
        assert_eq!(owner(100), Some(("asked", 7_001)));
        for wrong in [
            Value::Nil,
            Value::Array(Vec::new()),
            Value::Array(vec![Value::Nil]),
            Value::Array(vec![range(0, 16_384, text("h"), 1)]),
            Value::Array(vec![range(-1, 1, text("h"), 1)]),
            Value::Array(vec![range(0, 1, text("h"), 0)]),
            Value::Array(vec![range(0, 1, text("h"), 65_536)]),
            Value::Array(vec![range(0, 1, Value::Int(1), 1)]),
        ] {
            assert_eq!(Slots::read(&wrong, "asked"), None, "{wrong:?}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            prop_oneof![-2i64..20_000, any::<i64>()].prop_map(Value::Int),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::BulkString),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop::collection::vec(inner, 0..5).prop_map(Value::Array)
        })
    }

    proptest! {
        #[test]
        fn whatever_a_node_answers_a_map_names_ports_and_slots_there_are(value in any_value()) {
            if let Some(slots) = Slots::read(&value, "asked") {
                for range in &slots.0 {
                    prop_assert!(range.last < SLOTS && range.master.port > 0);
                    prop_assert!(!range.master.host.is_empty());
                }
            }
        }

        #[test]
        fn whatever_a_redirection_names_it_is_read_or_not(text in ".{0,20}", port in 1u16..) {
            let _ = Endpoint::parse(&text);
            let endpoint = Endpoint::parse(&format!("{text}:{port}")).unwrap();
            prop_assert_eq!((endpoint.host, endpoint.port), (text, port));
        }
    }

    /// The slots a real server told for these keys.
    #[test]
    fn keys_lie_where_the_server_says() {
        for (key, slot) in [
            ("123456789", 12_739),
            ("foo", 12_182),
            ("a:{foo}:b", 12_182),
            ("a:{foo}{bar}", 12_182),
        ] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
        assert_ne!(
            slot_of(b"a{}foo"),
            slot_of(b"foo"),
            "nothing in braces is no tag"
        );
    }
}
