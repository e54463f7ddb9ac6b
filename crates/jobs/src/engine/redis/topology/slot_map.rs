//! Which node serves which slots, as a node of the cluster tells it.

use redis::Value;

use super::super::reply::{int, list, text};
use super::endpoint::{Endpoint, named};
use super::slot::Slot;

/// Who serves what. Slots in no range have no owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotMap {
    /// By first slot.
    ranges: Vec<Range>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    master: Endpoint,
    replicas: Vec<Endpoint>,
}

impl SlotMap {
    /// Reads the answer of `CLUSTER SLOTS`, which `asked` gave. Nothing when it tells of no slot.
    pub(super) fn read(answer: Value, asked: &str) -> Option<Self> {
        let ranges = list(answer).into_iter();
        let mut ranges: Vec<Range> = ranges.filter_map(|range| read(range, asked)).collect();
        ranges.sort_by_key(|range| range.first);
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    pub(super) fn owner(&self, slot: Slot) -> Option<&Endpoint> {
        let slot = slot.number();
        let behind = self.ranges.partition_point(|range| range.first <= slot);
        let range = &self.ranges[behind.checked_sub(1)?];
        (slot <= range.last).then_some(&range.master)
    }

    /// The masters that serve slots.
    pub(super) fn masters(&self) -> Vec<Endpoint> {
        sorted(self.ranges.iter().map(|range| &range.master))
    }

    /// All nodes it tells of.
    pub(super) fn nodes(&self) -> Vec<Endpoint> {
        let nodes = self.ranges.iter();
        sorted(nodes.flat_map(|range| std::iter::once(&range.master).chain(&range.replicas)))
    }
}

fn sorted<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = endpoints.cloned().collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    endpoints
}

/// First slot, last slot, the master, its replicas.
fn read(range: Value, asked: &str) -> Option<Range> {
    let mut parts = list(range).into_iter();
    let mut slot = || u16::try_from(int(&parts.next()?)?).ok();
    let (first, last) = (slot()?, slot()?);
    let master = node(parts.next()?, asked)?;
    let replicas = parts.filter_map(|replica| node(replica, asked)).collect();
    Some(Range {
        first,
        last,
        master,
        replicas,
    })
}

/// Host and port; what follows is of no use here.
fn node(node: Value, asked: &str) -> Option<Endpoint> {
    let mut parts = list(node).into_iter();
    let host = text(parts.next()?).unwrap_or_default();
    let port = u16::try_from(int(&parts.next()?)?).ok()?;
    Some(Endpoint::new(named(&host, asked), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn told(host: Value, port: i64) -> Value {
        Value::Array(vec![
            host,
            Value::Int(port),
            bulk("id"),
            Value::Array(vec![]),
        ])
    }

    fn range(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        let slots = [Value::Int(first), Value::Int(last)];
        Value::Array(slots.into_iter().chain(nodes).collect())
    }

    fn shown(endpoints: &[Endpoint]) -> Vec<String> {
        endpoints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn owners_are_found_by_slot() {
        let a = || told(bulk("10.0.0.1"), 7_000);
        let answer = Value::Array(vec![
            range(
                8_000,
                16_383,
                vec![told(bulk("10.0.0.2"), 7_001), told(bulk("10.0.0.3"), 7_002)],
            ),
            range(0, 5_460, vec![a()]),
            range(5_470, 5_470, vec![a()]),
        ]);
        let map = SlotMap::read(answer, "asked").unwrap();
        for (key, slot, owner) in [
            ("in the last range", 12_182, Some("10.0.0.2:7001")),
            ("in the first range", 2_515, Some("10.0.0.1:7000")),
        ] {
            let known = ["foo", "foo{hash_tag}"].map(Slot::of);
            let found = known.iter().find(|known| known.number() == slot).unwrap();
            let told = map.owner(*found).map(ToString::to_string);
            assert_eq!(told.as_deref(), owner, "{key}");
        }
        assert_eq!(shown(&map.masters()), ["10.0.0.1:7000", "10.0.0.2:7001"]);
        assert_eq!(map.nodes().len(), 3);
    }

    #[test]
    fn a_slot_between_ranges_has_no_owner() {
        let answer = Value::Array(vec![range(0, 100, vec![told(bulk("h"), 1)])]);
        let map = SlotMap::read(answer, "asked").unwrap();
        assert_eq!(map.owner(Slot::of("somekey")), None);
        assert!(map.owner(Slot::WHOLE).is_some());
    }

    #[test]
    fn a_node_that_does_not_know_its_name_is_the_one_that_was_asked() {
        for host in [Value::Nil, bulk(""), bulk("?")] {
            let answer = Value::Array(vec![range(0, 16_383, vec![told(host, 7_000)])]);
            let map = SlotMap::read(answer, "asked").unwrap();
            assert_eq!(shown(&map.masters()), ["asked:7000"]);
        }
    }

    #[test]
    fn what_is_no_map_is_none() {
        for answer in [
            Value::Nil,
            Value::Array(vec![]),
            Value::Array(vec![Value::Array(vec![Value::Int(0)])]),
            Value::Array(vec![range(0, 99_999, vec![told(bulk("h"), 1)])]),
            Value::Array(vec![range(0, 1, vec![told(bulk("h"), 99_999)])]),
        ] {
            assert_eq!(SlotMap::read(answer, "asked"), None);
        }
    }
}
