//! The operations, each inside a transaction that others share.

pub(super) mod add;
pub(super) mod bulk;
pub(super) mod cancel;
pub(super) mod change;
pub(super) mod child;
pub(super) mod claim;
mod deduplication;
pub(super) mod finish;
pub(super) mod flow;
pub(super) mod group;
pub(super) mod lease;
mod leave;
pub(super) mod log;
pub(super) mod manage;
pub(super) mod obliterate;
pub(super) mod schedule;
pub(super) mod settings;
pub(super) mod stored;
pub(super) mod sweep;
pub(super) mod transfer;
