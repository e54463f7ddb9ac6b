//! Guarded writes: a body checked against the schema, one statement with its preconditions, one
//! writer thread.
//!
//! 1. [`Changes`]: the JSON body against the resource, all mistakes at once;
//! 2. [`WritePlan`]: the SQL, with the [`Precondition`] as part of its `WHERE`;
//! 3. the writer thread runs independent writes in one transaction, each behind its own savepoint,
//!    and answers after the commit;
//! 4. [`Written`]: which row changed, its new version, and which tables were touched, those reached
//!    by cascades and triggers too.
//!
//! | verb | body | row exists | row is absent |
//! |---|---|---|---|
//! | create | all required fields; a key where the table makes none | conflict | created |
//! | update | a JSON merge patch (RFC 7396): `null` empties a field; a field that holds JSON is itself merged | updated | not found |
//! | replace | every field but generated ones; the key may be left out | replaced | created if the resource may create and there is no `If-Match`; else precondition failed with `If-Match`, not found without |
//! | delete | none | deleted | not found |
//!
//! A column the resource hides does not exist here either: naming it is the same mistake as any
//! unknown name, and replacing a row leaves it as it was.

mod body;
mod changes;
mod constraint;
mod convert;
mod error;
mod group;
mod invalid;
mod many;
mod merge;
mod plan;
mod read_back;
pub(crate) mod server;
mod session;
mod sql;
mod touched;
mod transact;
mod transaction;
mod writer;

pub use changes::{Bodies, Changes, Touch};
pub use constraint::{Constraint, ConstraintKind};
pub use error::WriteError;
pub use invalid::{BodyError, FieldError, FieldErrorCode, MalformedBody};
pub use many::{MOST_ROWS_A_STATEMENT, RowRefused};
pub use plan::{Precondition, WritePlan, Writes};
pub use read_back::ReadBack;
pub use session::{Change, ChangeKind, Written};
pub use transaction::{Told, Transaction};

pub(crate) use constraint::{Names, SqlState};
pub(crate) use many::batches;
pub(crate) use transaction::Work;
pub(crate) use writer::{IdleWriter, Writer};
