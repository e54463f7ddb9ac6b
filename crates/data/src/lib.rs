//! A database as resources.
//!
//! The path of a request through this crate, one folder a step:
//!
//! 1. [`catalog`]: the tables, columns, keys and relations of a database, read once from its schema;
//! 2. [`resource`]: what of the catalog is exposed, under which names, with which limits;
//! 3. [`query`]: the parameters of a request, parsed and checked against a resource;
//! 4. [`plan`]: SQL text, its values, and what is needed to encode the rows ([`cursor`] signs positions);
//! 5. [`encode`]: rows from the driver to JSON, NDJSON, CSV or JSON:API bytes, without an intermediate value.
//!
//! Statements run in [`sqlite`], beside which stand [`version`] (what is known of the tables before a
//! query), [`total`] (counts, counted once) and [`mod@write`] (guarded changes). [`Database`] ties them together.
//!
//! Everything here up to the running of a statement is a pure function of its arguments. The crate
//! knows no HTTP framework.

pub mod catalog;
mod cell;
pub mod cursor;
mod database;
pub mod encode;
pub mod mysql;
pub mod neon;
pub mod plan;
pub mod planetscale;
pub mod pool;
pub mod postgres;
mod principal;
pub mod query;
pub mod resource;
mod run;
mod server;
mod sql;
pub mod sqlite;
mod statement;
pub mod total;
pub mod vendor_http;
pub mod version;
pub mod write;

pub use cell::{Cell, Decimal, MalformedRows, Moment, Row, Rows, Uuid};
pub use database::{Database, WholeTransactions};
pub use principal::Principal;
pub use run::{Answer, Counts, LARGEST_ANSWER, RowStream, RunError};
pub use sql::{MySqlFlavor, SqlDialect};
pub use statement::{Statement, Value};
