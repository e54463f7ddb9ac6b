//! Encoded bodies kept in memory, so that the same bytes are encoded once.

#[expect(
    clippy::module_inception,
    reason = "the type is what the module is about"
)]
mod cache;
mod flight;
mod kept;
mod key;
mod statistics;

pub use cache::EncodedCache;
pub use key::KeyedBy;
pub use statistics::EncodedCacheStatistics;

pub(super) use cache::{Found, Question};
pub(super) use kept::Kept;
pub(super) use key::Address;
