//! The operations, each inside a transaction that others share.

pub(super) mod add;
pub(super) mod claim;
pub(super) mod finish;
pub(super) mod lease;
pub(super) mod manage;
pub(super) mod stored;
pub(super) mod sweep;
pub(super) mod transfer;
