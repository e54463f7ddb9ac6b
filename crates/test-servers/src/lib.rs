//! Real servers for tests and measurements: `PostgreSQL`, `PgBouncer` and `MariaDB`, each private to the test that starts it,
//! on a free port of 127.0.0.1, its files in a temporary folder, stopped and removed when it is dropped. What runs only at
//! its vendor has a double here: `PlanetScale`'s HTTP interface, over a real `MariaDB`.
//!
//! A development dependency only, and it knows no other crate of the workspace. `cargo xtask test` installs what
//! it starts. Nothing here returns an error: a test whose server does not start has failed, so it panics, saying
//! what is missing or what the server wrote.

#![expect(
    clippy::missing_panics_doc,
    reason = "every function panics where it cannot go on, as the crate's documentation says"
)]

mod account;
mod certificates;
mod mariadb;
mod namespace;
mod pgbouncer;
mod planetscale;
mod port;
mod postgres;
mod program;
mod rds_proxy;
mod relay;

pub use certificates::Authority;
pub use mariadb::MariaDb;
pub use namespace::Namespace;
pub use pgbouncer::{PgBouncer, Release};
pub use planetscale::{Asked, Fault, PlanetScale, PlanetScaleOptions};
pub use port::free_port;
pub use postgres::{Postgres, psql};
pub use rds_proxy::RdsProxy;
pub use relay::Relay;
