//! Answers kept in memory.
