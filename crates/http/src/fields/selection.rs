//! What is shown: one canonical form for every spelling.

use std::fmt;

/// The fields of a value that are shown, and of which only parts. Requests that mean the same have equal
/// selections, and [`Display`](fmt::Display) writes them alike: put it into cache keys and entity tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// By name, ascending.
    parts: Vec<(Box<str>, Part)>,
}

/// How much of a field is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// All there is.
    Whole,
    /// These parts of it.
    Of(Selection),
}

impl Selection {
    /// How much of the field `name` is shown; `None` for nothing.
    pub fn get(&self, name: &str) -> Option<&Part> {
        let place = self.place(name).ok()?;
        Some(&self.parts[place].1)
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.parts
            .binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// Shows all of a field.
    pub(super) fn add_whole(&mut self, name: &str) {
        match self.place(name) {
            Ok(place) => self.parts[place].1 = Part::Whole,
            Err(place) => self.parts.insert(place, (name.into(), Part::Whole)),
        }
    }

    /// The parts of a field that are shown, none yet when it is new. `None` when all of it is shown.
    pub(super) fn beneath(&mut self, name: &str) -> Option<&mut Selection> {
        let place = self.place(name).unwrap_or_else(|place| {
            let part = Part::Of(Selection::default());
            self.parts.insert(place, (name.into(), part));
            place
        });
        match &mut self.parts[place].1 {
            Part::Whole => None,
            Part::Of(selection) => Some(selection),
        }
    }
}

/// Writes `author(name),id`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, part)) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
            if let Part::Of(selection) = part {
                write!(f, "({selection})")?;
            }
        }
        Ok(())
    }
}
