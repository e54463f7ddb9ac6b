//! Entries of a `SELECT` list: values, and related rows gathered in one.

use crate::catalog::Shown;
use crate::sql::{Gathered, SqlDialect};

/// One entry of the `SELECT` list.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) source: Source,
    /// In which form it is answered.
    pub(super) shown: Shown,
    /// The type of a column, where the engine has strict ones.
    pub(super) type_name: Option<String>,
}

/// What an entry reads.
#[derive(Debug)]
pub(super) enum Source {
    /// What is read: what an order compares.
    Value(String),
    /// Related rows.
    Rows(Gathering),
}

/// Related rows, before it is known what the statement around them calls its columns.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) name: String,
    pub(super) items: Vec<Item>,
    pub(super) from: String,
    /// What is equal in related rows: an expression, and an item of the statement around it.
    pub(super) links: Vec<(String, usize)>,
    /// What else holds for them: whose they are.
    pub(super) own: Vec<String>,
    pub(super) order: String,
    pub(super) rows: u32,
}

impl Gathering {
    /// The rows as SQL, in a statement that calls its items like this.
    pub(super) fn sql(&self, dialect: SqlDialect, around: &dyn Fn(usize) -> String) -> String {
        let at_once = dialect.gathers_at_once();
        let own = |place: usize| match &self.items[place].source {
            Source::Value(expression) if at_once => expression.clone(),
            _ => format!("{}.c{place}", self.name),
        };
        let condition = self
            .links
            .iter()
            .map(|(expression, place)| format!("{expression} = {}", around(*place)))
            .chain(self.own.iter().cloned());
        let items = || self.items.iter().enumerate();
        let columns = items().filter_map(|(place, item)| match &item.source {
            Source::Value(expression) if !at_once => Some(format!("{expression} AS c{place}")),
            _ => None,
        });
        let cells = items().map(|(place, item)| match &item.source {
            Source::Value(_) => {
                dialect.gathered_cell(item.shown, item.type_name.as_deref(), &own(place))
            }
            Source::Rows(rows) => rows.sql(dialect, &own),
        });
        dialect.gather(&Gathered {
            name: self.name.clone(),
            columns: columns.collect(),
            from: self.from.clone(),
            condition: condition.collect::<Vec<_>>().join(" AND "),
            order: self.order.clone(),
            rows: self.rows,
            cells: cells.collect(),
        })
    }
}
