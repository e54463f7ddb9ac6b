//! The table of a shard: entries lie where their hash says, or in the next place that is free.

use super::super::super::LimitKey;
use super::super::super::algorithm::{Algorithm, State};
use super::entry::{Aside, Cells, Entry, Index, NONE, at};
use super::hash::KeyHasher;

/// Entries a table can number, with the places that stay free among them.
pub(super) const MOST_ENTRIES: usize = (NONE as usize - 5) / 5 * 4;

/// Places of the smallest table.
const FEWEST: usize = 8;

/// Places of the largest table for so many entries: a fifth of them stays free, so that searches end soon.
pub(super) const fn places(room: usize) -> usize {
    room + room / 4 + 1
}

const _: () = assert!(places(MOST_ENTRIES) < NONE as usize);

#[derive(Debug)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    pub(super) asides: Vec<Aside>,
    /// Those of the entries, when any policy has sliding windows; else empty.
    cells: Vec<Cells>,
    has_cells: bool,
    len: usize,
    /// Places when it is as large as it gets.
    most: usize,
    hasher: KeyHasher,
}

impl Table {
    /// A table for at most `room` entries.
    pub(super) fn new(room: usize, has_cells: bool, hasher: KeyHasher) -> Self {
        Self {
            entries: Vec::new(),
            asides: Vec::new(),
            cells: Vec::new(),
            has_cells,
            len: 0,
            most: places(room),
            hasher,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.asides.capacity() * size_of::<Aside>()
            + self.cells.capacity() * size_of::<Cells>()
    }

    pub(super) fn find(&self, hash: u64, policy: usize, key: LimitKey) -> Option<Index> {
        let mut place = self.home(hash);
        loop {
            let entry = self.entries.get(place)?;
            if entry.key == key && entry.policy as usize == policy {
                return Index::try_from(place).ok();
            }
            if entry.is_free() {
                return None;
            }
            place = self.after(place);
        }
    }

    /// The state of an entry whose policy counts by `algorithm`; what others would need is not looked at.
    pub(super) fn state(&self, index: Index, algorithm: Algorithm) -> State {
        let entry = &self.entries[at(index)];
        State {
            at: entry.at,
            count: entry.count,
            given_back: match algorithm {
                Algorithm::Gcra => self.asides[at(index)].given_back,
                _ => 0,
            },
            cells: match algorithm {
                Algorithm::SlidingWindow => self.cells[at(index)],
                _ => Cells::default(),
            },
        }
    }

    pub(super) fn set_state(&mut self, index: Index, algorithm: Algorithm, state: &State) {
        let entry = &mut self.entries[at(index)];
        entry.at = state.at;
        entry.count = state.count;
        match algorithm {
            Algorithm::Gcra => self.asides[at(index)].given_back = state.given_back,
            Algorithm::SlidingWindow => self.cells[at(index)] = state.cells,
            Algorithm::FixedWindow => {}
        }
    }

    /// Whether one more entry wants a larger table: with many places free, most entries lie where they are looked
    /// for first.
    pub(super) fn is_to_grow(&self) -> bool {
        self.entries.len() < self.most && (self.len + 1) * 5 > self.entries.len() * 3
    }

    /// An empty table with twice the places.
    pub(super) fn larger(&self) -> Self {
        let places = (self.entries.len() * 2).clamp(FEWEST.min(self.most), self.most);
        Self {
            entries: vec![Entry::FREE; places],
            asides: vec![Aside::EMPTY; places],
            cells: vec![Cells::default(); if self.has_cells { places } else { 0 }],
            len: 0,
            hasher: self.hasher.clone(),
            ..*self
        }
    }

    /// Takes a place for an entry that is not here, without a state yet. There must be one that is free.
    pub(super) fn add(&mut self, hash: u64, entry: Entry) -> Index {
        let mut place = self.home(hash);
        while !self.entries[place].is_free() {
            place = self.after(place);
        }
        self.entries[place] = entry;
        self.asides[place] = Aside::EMPTY;
        self.len += 1;
        Index::try_from(place).expect("`most` is at most what an index can number")
    }

    /// Takes over an entry of another table.
    pub(super) fn adopt(&mut self, other: &Self, index: Index) -> Index {
        let entry = other.entries[at(index)];
        let here = self.add(self.hash_of(&entry), entry);
        self.asides[at(here)].given_back = other.asides[at(index)].given_back;
        if let Some(cells) = other.cells.get(at(index)) {
            self.cells[at(here)] = *cells;
        }
        here
    }

    /// Frees the place at `index`. No search may end there too soon: an entry further on that belongs there, or
    /// before, moves in, which frees its place in turn. `moved` is told each move's entry and new place.
    pub(super) fn remove(
        &mut self,
        index: Index,
        mut moved: impl FnMut(&mut [Aside], Entry, Index),
    ) {
        let mut free = at(index);
        let mut place = free;
        loop {
            place = self.after(place);
            let entry = self.entries[place];
            if entry.is_free() {
                break;
            }
            let from_home = self.distance(self.home(self.hash_of(&entry)), place);
            if from_home >= self.distance(free, place) {
                self.entries[free] = entry;
                self.asides[free] = self.asides[place];
                if self.has_cells {
                    self.cells[free] = self.cells[place];
                }
                let here = Index::try_from(free).expect("it was an index before");
                moved(&mut self.asides, entry, here);
                free = place;
            }
        }
        self.entries[free] = Entry::FREE;
        self.len -= 1;
    }

    pub(super) fn hash_of(&self, entry: &Entry) -> u64 {
        self.hasher.hash(entry.key, entry.policy)
    }

    /// Where a hash is looked for first. Shards are told apart by its high bits, places by its low ones.
    fn home(&self, hash: u64) -> usize {
        let part = hash & u64::from(u32::MAX);
        usize::try_from((part * self.entries.len() as u64) >> 32).unwrap_or(0)
    }

    fn after(&self, place: usize) -> usize {
        let next = place + 1;
        if next == self.entries.len() { 0 } else { next }
    }

    /// Steps from one place to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.entries.len() - from
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::Order;
    use super::*;

    fn key(number: u16) -> LimitKey {
        LimitKey::from(std::net::IpAddr::from([
            10,
            0,
            number.to_be_bytes()[0],
            number.to_be_bytes()[1],
        ]))
    }

    /// Everything that is there, in its order, each where a search finds it.
    fn listed(table: &Table, order: Order) -> Vec<LimitKey> {
        let mut keys = Vec::new();
        let mut next = order.earliest();
        while next != NONE {
            let entry = table.entries[at(next)];
            assert_eq!(table.find(table.hash_of(&entry), 0, entry.key), Some(next));
            keys.push(entry.key);
            next = table.asides[at(next)].later;
        }
        keys
    }

    proptest! {
        /// Adding and removing in any order, in tables nearly full: whatever moves is found, and stays in its order.
        #[test]
        fn entries_are_found_wherever_they_moved(
            room in 1usize..40, steps in proptest::collection::vec(0u16..60, 1..300),
        ) {
            let mut table = Table::new(room, false, KeyHasher::new());
            let (mut order, mut model) = (Order::EMPTY, Vec::new());
            for number in steps {
                let key = key(number);
                let entry = Entry::new(key, 0);
                let hash = table.hash_of(&entry);
                if let Some(index) = table.find(hash, 0, key) {
                    order.remove(&mut table.asides, index);
                    table.remove(index, |asides, _, here| order.moved_to(asides, here));
                    model.retain(|held| *held != key);
                } else if table.len() < room {
                    while table.is_to_grow() {
                        let mut larger = table.larger();
                        let mut next = std::mem::replace(&mut order, Order::EMPTY).earliest();
                        while next != NONE {
                            let index = larger.adopt(&table, next);
                            order.push_latest(&mut larger.asides, index);
                            next = table.asides[at(next)].later;
                        }
                        table = larger;
                    }
                    let index = table.add(hash, entry);
                    order.push_latest(&mut table.asides, index);
                    model.push(key);
                }
                prop_assert_eq!(listed(&table, order), model.clone());
                prop_assert_eq!(table.len(), model.len());
            }
        }
    }
}
