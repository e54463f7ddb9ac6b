//! The named statements of one connection.

use std::collections::HashMap;
use std::sync::Arc;

use crate::postgres::row::Reader;

/// Statements kept by each connection: lists, selections and filters in use at a time.
const KEPT: usize = 256;

/// What is kept. The one not used for longest makes room.
#[derive(Debug, Default)]
pub(super) struct Statements {
    by_text: HashMap<Arc<str>, Kept>,
    uses: u64,
    names: u64,
    /// Names that the server may forget.
    given_up: Vec<Arc<str>>,
}

/// A statement that the server knows.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: Arc<str>,
    pub(super) readers: Arc<[Reader]>,
}

#[derive(Debug)]
struct Kept {
    known: Known,
    last_use: u64,
}

impl Statements {
    /// The statement of this text, if it is there.
    pub(super) fn get(&mut self, sql: &str) -> Option<Known> {
        self.uses += 1;
        let kept = self.by_text.get_mut(sql)?;
        kept.last_use = self.uses;
        Some(kept.known.clone())
    }

    /// A name that no statement of this connection has had. The driver's own begin otherwise.
    pub(super) fn new_name(&mut self) -> Arc<str> {
        self.names += 1;
        format!("p{}", self.names).into()
    }

    /// The server knows a statement by the text `sql` now.
    pub(super) fn keep(&mut self, sql: &Arc<str>, known: Known) {
        if self.by_text.len() >= KEPT {
            self.evict();
        }
        let last_use = self.uses;
        let kept = Kept { known, last_use };
        if let Some(before) = self.by_text.insert(Arc::clone(sql), kept) {
            self.given_up.push(before.known.name);
        }
    }

    /// A statement that the server does not know any more, or not as it was.
    pub(super) fn forget(&mut self, sql: &str) {
        if let Some(kept) = self.by_text.remove(sql) {
            self.given_up.push(kept.known.name);
        }
    }

    /// A name that is not needed, whether the server knows it or not.
    pub(super) fn give_up(&mut self, name: Arc<str>) {
        self.given_up.push(name);
    }

    /// The names the server is to be told that are not needed.
    pub(super) fn given_up(&mut self) -> impl Iterator<Item = Arc<str>> {
        self.given_up.drain(..)
    }

    fn evict(&mut self) {
        let oldest = self
            .by_text
            .iter()
            .min_by_key(|(_, kept)| kept.last_use)
            .map(|(text, _)| Arc::clone(text));
        if let Some(text) = oldest {
            self.forget(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Known {
        Known {
            name: name.into(),
            readers: Arc::default(),
        }
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room_and_is_given_up() {
        let mut statements = Statements::default();
        let text = |number: usize| -> Arc<str> { format!("SELECT {number}").into() };
        for number in 0..KEPT {
            assert!(statements.get(&text(number)).is_none());
            let name = statements.new_name();
            statements.keep(&text(number), known(&name));
        }
        assert!(statements.get(&text(0)).is_some());
        let name = statements.new_name();
        statements.keep(&text(KEPT), known(&name));
        assert_eq!(statements.given_up().collect::<Vec<_>>(), ["p2".into()]);
        assert!(statements.get(&text(1)).is_none());
        assert!(statements.get(&text(0)).is_some());
    }

    #[test]
    fn what_is_forgotten_is_given_up_once() {
        let mut statements = Statements::default();
        let text: Arc<str> = "SELECT 1".into();
        statements.keep(&text, known("p1"));
        statements.forget(&text);
        statements.forget(&text);
        assert_eq!(statements.given_up().count(), 1);
        assert_eq!(statements.given_up().count(), 0);
    }
}
