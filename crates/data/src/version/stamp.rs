//! A small value for the state of some tables.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ledger::Ledger;
use crate::catalog::TableId;

/// The state of some tables: equal stamps, equal rows. Displays as 22 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp([u8; 16]);

impl Stamp {
    /// The 128 bits.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn for_test(byte: u8) -> Self {
        Self([byte; 16])
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        let length = URL_SAFE_NO_PAD
            .encode_slice(self.0, &mut text)
            .expect("16 bytes are 22 characters of base64");
        formatter.write_str(std::str::from_utf8(&text[..length]).expect("base64 is ASCII"))
    }
}

/// Counts restart with the process: the salt keeps stamps of different starts apart.
#[derive(Debug)]
pub(crate) struct Salt([u8; 32]);

impl Salt {
    pub(crate) fn random() -> Self {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).expect("the operating system gives random bytes");
        Self(salt)
    }

    pub(super) fn stamp(&self, ledger: &Ledger, views: &[bool], tables: &[TableId]) -> Stamp {
        let counts = tables
            .iter()
            .map(|&table| (table, ledger.count(table, views[table.index()])));
        self.of(ledger.epoch(), counts)
    }

    /// The stamp of tables with these counts, in this order.
    pub(crate) fn of(&self, epoch: u64, counts: impl Iterator<Item = (TableId, u64)>) -> Stamp {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&epoch.to_le_bytes());
        for (table, count) in counts {
            hasher.update(&(table.index() as u64).to_le_bytes());
            hasher.update(&count.to_le_bytes());
        }
        let mut stamp = [0; 16];
        stamp.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Stamp(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_differ_by_table_epoch_and_start() {
        let table = TableId::from_index;
        let (salt, other) = (Salt::random(), Salt::random());
        let views = [false, false];
        let mut ledger = Ledger::new(2, 0);
        let first = salt.stamp(&ledger, &views, &[table(0)]);
        assert_eq!(first, salt.stamp(&ledger, &views, &[table(0)]));
        assert_ne!(first, salt.stamp(&ledger, &views, &[table(1)]));
        assert_ne!(first, salt.stamp(&ledger, &views, &[table(0), table(1)]));
        assert_ne!(
            first,
            other.stamp(&ledger, &views, &[table(0)]),
            "another start"
        );
        ledger.observe(1);
        assert_ne!(first, salt.stamp(&ledger, &views, &[table(0)]));
        assert_eq!(first.to_string().len(), 22);
    }
}
