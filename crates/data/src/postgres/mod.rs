//! `PostgreSQL` as the database: connections, statements, exports.
//!
//! A statement runs on a connection of the pool that is lent for it alone; exports have connections of their own,
//! so that long ones do not hold up the pages. A caller that goes away, or a statement past its deadline, has its
//! connection given up: the server is asked to cancel, and the socket is closed.
//!
//! No statement here sets anything: neither `SET` nor `statement_timeout` nor advisory locks, so that a pooler may
//! stand in between; only [`versions`] listen, on a connection of their own that never goes through one. Values go to the server as text with their type written in the statement, and come back in
//! the driver's binary form, of built-in types only: the driver looks nothing up behind our back.

pub mod connect;
mod database;
pub mod doctor;
mod error;
mod options;
mod parameter;
mod query;
pub(crate) mod record;
mod row;
pub mod text;
pub mod versions;
mod wire;
mod writer;

pub use error::PostgresOpenError;
pub(crate) use error::meaning;
pub use options::PostgresOptions;

pub(crate) use database::PostgresDatabase;
