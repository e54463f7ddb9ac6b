//! The operations, each inside a transaction that others share.

pub(super) mod add;
pub(super) mod child;
pub(super) mod claim;
mod deduplication;
pub(super) mod finish;
pub(super) mod flow;
pub(super) mod group;
pub(super) mod lease;
mod leave;
pub(super) mod manage;
pub(super) mod settings;
pub(super) mod stored;
pub(super) mod sweep;
