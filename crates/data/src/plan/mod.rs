//! From a parsed query to SQL text and its values.

mod quote;

pub use quote::quote;
