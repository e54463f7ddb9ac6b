//! Answers: whole, in the shape that the sender of the event takes, or as a stream.

pub(crate) mod buffered;
pub(crate) mod collect;
mod fields;
pub(crate) mod problem;
pub(crate) mod streaming;
