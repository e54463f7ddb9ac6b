//! Which of a cluster's 16,384 slots a key belongs to: the CRC16 of its hash tag, or of all of it
//! ("Key distribution model" of the Redis Cluster specification).

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// CCITT polynomial of the XMODEM variant.
const POLYNOMIAL: u16 = 0x1021;

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        let mut crc = byte << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ POLYNOMIAL
            };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};

/// A part of the key space. Keys of one slot lie on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(u16);

impl Slot {
    /// The only one of a server that is no cluster.
    pub(crate) const WHOLE: Self = Self(0);

    /// The slot of a key.
    pub(crate) fn of(key: &str) -> Self {
        Self(crc16(tag(key).unwrap_or(key).as_bytes()) % SLOTS)
    }

    pub(super) const fn number(self) -> u16 {
        self.0
    }
}

/// The hash tag of a key: what stands between its first opening brace and the next closing one. Nothing
/// between them is no tag.
pub(crate) fn tag(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('{')?;
    let (tag, _) = rest.split_once('}')?;
    (!tag.is_empty()).then_some(tag)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn slots_are_those_the_documentation_of_cluster_keyslot_gives() {
        for (key, slot) in [
            ("somekey", 11_058),
            ("foo{hash_tag}", 2_515),
            ("bar{hash_tag}", 2_515),
        ] {
            assert_eq!(Slot::of(key).number(), slot, "{key}");
        }
    }

    #[test]
    fn a_tag_stands_between_the_first_brace_and_the_next_closing_one() {
        for (key, expected) in [
            ("{user1000}.following", Some("user1000")),
            ("bull:{emails}:wait", Some("emails")),
            ("{bull}:emails:wait", Some("bull")),
            ("foo{}{bar}", None),
            ("foo{{bar}}zap", Some("{bar")),
            ("foo{bar}{zap}", Some("bar")),
            ("foo{bar", None),
            ("foo}bar{", None),
            ("bull:emails:wait", None),
        ] {
            assert_eq!(tag(key), expected, "{key}");
        }
    }

    #[test]
    fn keys_of_one_tag_share_a_slot() {
        let base = Slot::of("bull:{emails}:");
        assert_eq!(base, Slot::of("bull:{emails}:wait"));
        assert_eq!(base, Slot::of("bull:{emails}:17{x}:lock"));
        assert_ne!(base, Slot::of("bull:{orders}:wait"));
    }
}
