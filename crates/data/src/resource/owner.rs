//! Rows that belong to somebody: which column says to whom, verb by verb.

use super::error::ResourceErrorKind;
use crate::catalog::{ColumnKind, Table};

/// What is done with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessVerb {
    /// Many rows are read: lists, counts, exports.
    List,
    /// One row is read, by its key or within a row that refers to it.
    Read,
    /// A row is created.
    Create,
    /// A row is changed or replaced.
    Update,
    /// A row is deleted.
    Delete,
}

impl AccessVerb {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::List,
        Self::Read,
        Self::Create,
        Self::Update,
        Self::Delete,
    ];

    /// The verb's word in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// For each verb the column that names a row's owner, where only the owner may: `C` is its name in a specification,
/// its index in a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owners<C>([Option<C>; 5]);

impl<C: Clone + PartialEq> Owners<C> {
    /// Has only owners use this verb; `column` names them.
    #[must_use]
    pub fn with(mut self, verb: AccessVerb, column: C) -> Self {
        self.0[verb as usize] = Some(column);
        self
    }

    /// The column that names the owner, where the verb is theirs alone.
    pub fn of(&self, verb: AccessVerb) -> Option<C> {
        self.0[verb as usize].clone()
    }

    /// The columns that name owners for any verb.
    pub fn columns(&self) -> impl Iterator<Item = &C> {
        self.0.iter().flatten()
    }

    /// The column by which it is decided who is told of a change: that of reading rows.
    pub fn told(&self) -> Option<C> {
        self.of(AccessVerb::Read)
            .or_else(|| self.of(AccessVerb::List))
    }
}

/// A mistake: the verb, the column's name, what kind, the sentence.
pub(super) type Mistake = (AccessVerb, String, ResourceErrorKind, String);

/// The columns by index.
pub(super) fn resolve(table: &Table, named: &Owners<String>) -> Result<Owners<usize>, Mistake> {
    let mut owners = Owners::default();
    for verb in AccessVerb::ALL {
        let Some(name) = named.of(verb) else { continue };
        let Some(index) = table.column(&name) else {
            let message = format!("the table {:?} has no column {name:?}.", table.name);
            return Err((verb, name, ResourceErrorKind::Unknown, message));
        };
        let column = &table.columns[index];
        let unusable = column.generated
            || matches!(
                column.kind,
                ColumnKind::Blob | ColumnKind::Composite | ColumnKind::Boolean
            );
        if unusable {
            let message = format!(
                "the column {name:?} cannot name an owner: one of text, whole numbers or UUIDs can"
            );
            return Err((verb, name, ResourceErrorKind::Invalid, message));
        }
        owners = owners.with(verb, index);
    }
    Ok(owners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_to_those_who_may_read_the_row() {
        let owners = Owners::default().with(AccessVerb::List, 3);
        assert_eq!(owners.told(), Some(3));
        assert_eq!(owners.with(AccessVerb::Read, 4).told(), Some(4));
        assert_eq!(Owners::<usize>::default().told(), None);
    }
}
