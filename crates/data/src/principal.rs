//! Who asks, as rows name their owners.

use std::fmt;
use std::sync::Arc;

use crate::catalog::Column;
use crate::query::typed;
use crate::statement::Value;

/// Who a request comes from: the text that stands for them in the columns that name owners, such as a user's key.
/// Cheap to clone.
///
/// It becomes the value of a column when a statement is planned, and only ever as a bound value. One that can be no
/// value of the column, such as a name where numbers are kept, owns no row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The principal of this text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands in this column of the rows they own; `None` when they can own none.
    pub fn value_in(&self, column: &Column) -> Option<Value> {
        let labels = column.labels.as_deref();
        if labels.is_some_and(|labels| labels.iter().all(|label| **label != *self.0)) {
            return None;
        }
        // What PostgreSQL cannot store is the owner of nothing; SQLite could, but nobody is called that.
        if self.0.contains('\0') {
            return None;
        }
        typed(column.kind, &self.0)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
