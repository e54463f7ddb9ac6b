//! MySQL and `MariaDB` as the database: connections, statements, exports, writes.
//!
//! A statement runs on a connection of the pool that is lent for it alone; exports have connections of their own, so
//! that long ones do not hold up the pages. A caller that goes away, or a statement past its deadline, has its
//! connection given up: the socket is closed, and the server is told on another connection to stop the statement,
//! because it does not look at the socket before it has rows to send.
//!
//! Text is `utf8mb4`, which the handshake says. Moments are read in UTC: where the session's time zone is another,
//! one `SET` follows the handshake, as it does where the session would store values that do not fit; elsewhere nothing
//! is set. See [`connect::MySqlManager`].
//!
//! Servers: `MariaDB` 10.5 and later, MySQL 8.0.17 and later. Only `MariaDB` is tested.

pub(crate) mod bound;
pub mod connect;
mod database;
pub mod doctor;
pub(crate) mod error;
pub(crate) mod gathered;
mod options;
mod query;
pub(crate) mod row;
pub(crate) mod text;
mod writer;

pub use error::MySqlOpenError;
pub use options::MySqlOptions;

pub(crate) use database::MySqlDatabase;
