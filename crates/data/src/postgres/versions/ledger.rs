//! What was heard of changes, and whether it can be relied on. No I/O: the time comes in from outside.

use std::collections::HashMap;
use std::time::Duration;

use crate::catalog::TableId;
use crate::pool::Moment;

/// For how long after a round trip was begun its answer lets us rely on what is heard. A connection that falls
/// silent is found out by then, so this bounds how old an answer can be that is given out as current.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// Which tables are told of, and whom a notification is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// For each table of the catalog, whether all of its changes are told.
    pub(super) known: Vec<bool>,
    /// For each relation that tells of changes, by its number on the server, the tables of the catalog that show it.
    pub(super) shown_by: HashMap<u32, Vec<TableId>>,
}

/// The count of changes of each table.
#[derive(Debug)]
pub(super) struct Ledger {
    layout: Layout,
    /// Changes of unknown extent: they count for every table.
    epoch: u64,
    tables: Vec<u64>,
    /// The session that is heard; how many there were before it.
    session: u64,
    /// When the latest answered round trip of that session was begun; `None` while nobody is heard.
    proven: Option<Moment>,
}

impl Ledger {
    /// Nothing is heard yet.
    pub(super) fn new(tables: usize) -> Self {
        Self {
            layout: Layout::default(),
            epoch: 0,
            tables: vec![0; tables],
            session: 0,
            proven: None,
        }
    }

    /// A new session is heard from now on. What happened before is unknown: everything changed. Gives its number.
    pub(super) fn begin(&mut self, layout: Layout, proven: Moment) -> u64 {
        self.epoch += 1;
        self.session += 1;
        self.layout = layout;
        self.proven = Some(proven);
        self.session
    }

    /// Nobody is heard any more.
    pub(super) fn end(&mut self) {
        self.proven = None;
    }

    /// A round trip begun at `sent` was answered: everything that the server told before is accounted for.
    pub(super) fn prove(&mut self, sent: Moment) {
        if self.proven.is_some() {
            self.proven = Some(sent);
        }
    }

    /// What tells of which table may have changed: nothing is known until it is read again.
    pub(super) fn forget_layout(&mut self) {
        self.everything();
        self.layout = Layout::default();
    }

    /// It was read again.
    pub(super) fn learn(&mut self, layout: Layout) {
        self.everything();
        self.layout = layout;
    }

    /// The server tells that a relation changed. One that we do not know may be part of any table.
    pub(super) fn relation(&mut self, relation: u32) {
        match self.layout.shown_by.get(&relation) {
            Some(tables) => tables
                .iter()
                .for_each(|table| self.tables[table.index()] += 1),
            None => self.everything(),
        }
    }

    /// This process changed a table, whatever the server tells of it.
    pub(super) fn own(&mut self, table: TableId) {
        self.tables[table.index()] += 1;
    }

    /// Every table may have changed.
    pub(super) fn everything(&mut self) {
        self.epoch += 1;
    }

    /// The session that is heard, if there is one. Whether it can be relied on now is another question.
    pub(super) fn session(&self) -> Option<u64> {
        self.proven.map(|_| self.session)
    }

    /// Whether what was heard is the latest.
    pub(super) fn is_current(&self, now: Moment) -> bool {
        self.proven.is_some_and(|proven| now.since(proven) <= LEASE)
    }

    /// Whether all changes of the table are told.
    pub(super) fn knows(&self, table: TableId) -> bool {
        self.layout.known.get(table.index()) == Some(&true)
    }

    /// The count that changes with each change of every table.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The count that changes with each change of the table.
    pub(super) fn count(&self, table: TableId) -> u64 {
        self.tables[table.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{Clock as _, ManualClock};

    fn table(index: usize) -> TableId {
        TableId::from_index(index)
    }

    /// Two tables told by the relations 7 and 8, and a relation 9 that nobody shows; the third table is not told.
    fn layout() -> Layout {
        Layout {
            known: vec![true, true, false],
            shown_by: [
                (7, vec![table(0)]),
                (8, vec![table(0), table(1)]),
                (9, Vec::new()),
            ]
            .into(),
        }
    }

    fn counts(ledger: &Ledger) -> (u64, u64, u64) {
        (
            ledger.epoch(),
            ledger.count(table(0)),
            ledger.count(table(1)),
        )
    }

    #[test]
    fn a_relation_changes_the_tables_that_show_it_and_an_unknown_one_all() {
        let clock = ManualClock::default();
        let mut ledger = Ledger::new(3);
        ledger.begin(layout(), clock.now());
        assert!(ledger.knows(table(1)) && !ledger.knows(table(2)));
        for (relation, expected) in [
            (7, (1, 1, 0)),
            (8, (1, 2, 1)),
            (9, (1, 2, 1)),
            (10, (2, 2, 1)),
        ] {
            ledger.relation(relation);
            assert_eq!(counts(&ledger), expected, "{relation}");
        }
        ledger.own(table(1));
        assert_eq!(counts(&ledger), (2, 2, 2));
    }

    #[test]
    fn a_gap_changes_everything() {
        let clock = ManualClock::default();
        let mut ledger = Ledger::new(3);
        assert_eq!(ledger.session(), None);
        assert_eq!(ledger.begin(layout(), clock.now()), 1);
        let before = counts(&ledger);
        ledger.end();
        assert_eq!(ledger.session(), None);
        ledger.prove(clock.now());
        assert!(
            !ledger.is_current(clock.now()),
            "a late answer of an old session proves nothing"
        );
        assert_eq!(ledger.begin(layout(), clock.now()), 2);
        assert_ne!(counts(&ledger), before);
    }

    #[test]
    fn without_an_answer_nothing_is_current_for_long() {
        let clock = ManualClock::default();
        let mut ledger = Ledger::new(3);
        assert!(!ledger.is_current(clock.now()));
        let sent = clock.now();
        ledger.begin(layout(), sent);
        clock.advance(LEASE);
        assert!(ledger.is_current(clock.now()));
        clock.advance(Duration::from_millis(1));
        assert!(!ledger.is_current(clock.now()));
        assert_eq!(ledger.session(), Some(1), "it may only be slow");
        ledger.prove(clock.now());
        assert!(ledger.is_current(clock.now()));
    }

    #[test]
    fn until_the_layout_is_read_again_nothing_is_known() {
        let clock = ManualClock::default();
        let mut ledger = Ledger::new(3);
        ledger.begin(layout(), clock.now());
        ledger.forget_layout();
        assert!(!ledger.knows(table(0)));
        ledger.relation(7);
        assert_eq!(counts(&ledger), (3, 0, 0), "nobody knows whose it is");
        ledger.learn(layout());
        assert!(ledger.knows(table(0)));
        assert_eq!(counts(&ledger), (4, 0, 0));
    }
}
