//! Which commits have been seen and whose they were. No I/O: data versions come in.

use crate::catalog::TableId;

/// The tables a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// These and no others.
    Tables(Vec<TableId>),
    /// It is not known which.
    All,
}

impl Touched {
    /// Whether this table may have changed.
    pub fn contains(&self, table: TableId) -> bool {
        match self {
            Self::Tables(tables) => tables.contains(&table),
            Self::All => true,
        }
    }

    /// Adds the tables of another commit.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Tables(tables), Self::Tables(more)) => {
                for table in more {
                    if !tables.contains(table) {
                        tables.push(*table);
                    }
                }
            }
            _ => *self = Self::All,
        }
    }
}

/// The count of changes of each table.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The watching connection's data version up to which everything is accounted for.
    seen: i64,
    /// Changes of unknown extent: they count for every table.
    epoch: u64,
    /// Commits of this process, whatever they changed.
    commits: u64,
    /// Commits of this process by table.
    tables: Vec<u64>,
    /// A commit of this process may become visible at any moment.
    committing: bool,
}

impl Ledger {
    pub(super) fn new(tables: usize, seen: i64) -> Self {
        Self {
            seen,
            epoch: 0,
            commits: 0,
            tables: vec![0; tables],
            committing: false,
        }
    }

    /// Takes note of the watching connection's data version. Answers whether the counts stand for
    /// the state that is visible now.
    pub(super) fn observe(&mut self, now: i64) -> bool {
        if now == self.seen {
            return true;
        }
        if self.committing {
            // Our own commit, or another's right after it: known when ours is accounted for.
            return false;
        }
        self.seen = now;
        self.epoch += 1;
        true
    }

    pub(super) fn begin_commit(&mut self) {
        self.committing = true;
    }

    /// Accounts for the commit announced. `now` is the watching connection's data version after it,
    /// `foreign` whether another process committed too. Without `now` the step is still to be seen,
    /// and will count as a foreign one.
    pub(super) fn end_commit(&mut self, now: Option<i64>, foreign: bool, touched: &Touched) {
        self.committing = false;
        self.commits += 1;
        match touched {
            Touched::Tables(tables) => tables
                .iter()
                .for_each(|table| self.tables[table.index()] += 1),
            Touched::All => self.epoch += 1,
        }
        if foreign {
            self.epoch += 1;
        }
        if let Some(now) = now {
            self.seen = now;
        }
    }

    /// The count that changes with each change of every table.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The count that changes with each commit of this process to the table; for a view, to any.
    pub(super) fn count(&self, table: TableId, is_view: bool) -> u64 {
        if is_view {
            self.commits
        } else {
            self.tables[table.index()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(index: usize) -> TableId {
        TableId::from_index(index)
    }

    /// Epoch, and the counts of table 0 and table 1.
    fn counts(ledger: &Ledger) -> (u64, u64, u64) {
        (
            ledger.epoch(),
            ledger.count(table(0), false),
            ledger.count(table(1), false),
        )
    }

    #[test]
    fn an_unexplained_step_changes_every_table() {
        let mut ledger = Ledger::new(2, 5);
        assert!(ledger.observe(5));
        assert_eq!(counts(&ledger), (0, 0, 0));
        assert!(ledger.observe(6));
        assert_eq!(counts(&ledger), (1, 0, 0));
        assert!(ledger.observe(6));
        assert_eq!(counts(&ledger), (1, 0, 0), "a step counts once");
    }

    #[test]
    fn an_own_commit_changes_its_tables_only() {
        let mut ledger = Ledger::new(2, 5);
        ledger.begin_commit();
        assert!(ledger.observe(5), "not visible yet");
        assert!(!ledger.observe(6), "visible, not accounted for");
        ledger.end_commit(Some(6), false, &Touched::Tables(vec![table(1)]));
        assert!(ledger.observe(6));
        assert_eq!(counts(&ledger), (0, 0, 1));
        assert_eq!(ledger.count(table(0), true), 1, "a view may read any table");
    }

    #[test]
    fn another_commit_beside_an_own_one_is_not_lost() {
        let mut ledger = Ledger::new(2, 5);
        ledger.begin_commit();
        ledger.end_commit(Some(7), true, &Touched::Tables(vec![table(1)]));
        assert_eq!(counts(&ledger), (1, 0, 1));
    }

    #[test]
    fn without_a_reading_the_step_is_seen_later() {
        let mut ledger = Ledger::new(2, 5);
        ledger.begin_commit();
        ledger.end_commit(None, false, &Touched::Tables(vec![table(1)]));
        assert!(ledger.observe(6));
        assert_eq!(counts(&ledger), (1, 0, 1));
    }

    #[test]
    fn unknown_tables_are_all_tables() {
        let mut touched = Touched::Tables(vec![table(0)]);
        touched.merge(&Touched::Tables(vec![table(0), table(1)]));
        assert_eq!(touched, Touched::Tables(vec![table(0), table(1)]));
        touched.merge(&Touched::All);
        assert_eq!(touched, Touched::All);
        let mut ledger = Ledger::new(2, 5);
        ledger.begin_commit();
        ledger.end_commit(Some(6), false, &touched);
        assert_eq!(ledger.epoch(), 1);
    }
}
