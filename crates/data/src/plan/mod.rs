//! From a parsed query to SQL text and its values.
//!
//! Plans are made without touching the database. Identifiers come from the catalog and are quoted, values
//! are always placeholders, and requests that differ only in values share their text.

mod canonical;
mod columns;
mod condition;
mod export;
mod links;
mod list;
mod one;
mod order;
mod owner;
mod position;
mod reach;
mod unindexed;

pub(crate) use export::ExportPages;
pub use export::ExportPlan;
pub use list::{ListPlan, TotalPlan};
pub use one::{OnePlan, format_key, parse_key};
pub use unindexed::{LARGE_TABLE, UnservedSort, unserved_sorts};

pub use crate::sql::quote;

/// Both lists in one, each entry once.
fn with<T: Copy + PartialEq>(first: &[T], second: &[T]) -> Vec<T> {
    let mut all = first.to_vec();
    all.extend(second.iter().filter(|entry| !first.contains(entry)));
    all
}
