//! The operations, each inside a transaction that others share.

pub(super) mod add;
pub(super) mod bulk;
pub(super) mod cancel;
pub(super) mod change;
pub(super) mod claim;
pub(super) mod finish;
pub(super) mod lease;
pub(super) mod log;
pub(super) mod manage;
pub(super) mod obliterate;
pub(super) mod schedule;
pub(super) mod stored;
pub(super) mod sweep;
pub(super) mod transfer;
