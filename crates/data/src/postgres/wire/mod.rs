//! Statements on a lent connection, written and read by its holder.
//!
//! The driver moves a connection's bytes in a task of its own: a statement wakes that task, which sends it, and its
//! answer wakes the task, which wakes the holder; each row is a piece of memory of its own on the way. Here the holder
//! sends a statement in one write, and encodes rows from where they were read to.
//!
//! Columns are of built-in types, as everywhere in [`postgres`](super): no type is looked up, in any mode.

mod exchange;
mod failure;
mod input;
mod messages;
mod row;
mod statements;
#[cfg(test)]
mod tests;

pub(in crate::postgres) use exchange::{Rows, Wire};
pub(in crate::postgres) use failure::Failure;
