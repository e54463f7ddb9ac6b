//! Bodies that are produced while they are sent.
//!
//! | module | what it is for |
//! |---|---|
//! | [`rows`] | a list too long for memory: JSON array, NDJSON, CSV |
//! | [`sse`] | events as they happen, for as many clients as there are |

pub mod rows;
pub mod sse;
