//! Connections to `PostgreSQL`, for a [`Pool`](crate::pool::Pool): directly, or through a pooler.
//!
//! ```no_run
//! use paceline_data::pool::{Pool, PoolOptions};
//! use paceline_data::postgres::connect::PostgresManager;
//! use std::time::{Duration, Instant};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = PostgresManager::new("postgres://app@db.example.com/shop".parse()?)?;
//! let pool = Pool::new(manager, PoolOptions::default());
//! let lease = pool.acquire(Instant::now() + Duration::from_secs(2)).await?;
//! let row = lease.query_typed_one("SELECT 1 + 1", &[]).await?;
//! assert_eq!(row.get::<_, i32>(0), 2);
//! # Ok(())
//! # }
//! ```
//!
//! A pooler in transaction mode gives each transaction another session, so that what belongs to a session leaks to
//! other clients: nothing here sends `SET`, `LISTEN`, `DISCARD` or advisory locks, and named statements are used
//! only where [`Endpoint`] says that they are safe. Connections are encrypted, and the server's certificate is
//! checked, unless the address says otherwise or never leaves the machine ([`Encryption`]).

pub(crate) mod address;
pub(super) mod begun;
pub(super) mod cancel;
pub(super) mod common;
mod connection;
mod driver;
mod ear;
mod endpoint;
mod error;
pub(super) mod hearing;
mod iam;
mod manager;
mod neon;
mod parameters;
mod passing;
pub(super) mod probe;
pub(super) mod raw;
pub(crate) mod secret;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

pub use address::{Address, Encryption, Host, InvalidAddress};
pub use connection::PostgresConnection;
pub use endpoint::{Endpoint, StatementMode, UnknownEndpoint, UnknownMode, UnsafeHere, Version};
pub use error::ConnectError;
pub use iam::{Authentication, CredentialSource, NoCredentials};
pub use manager::{ManagerError, PostgresManager};
pub use tls::TlsSetUpError;

pub(crate) use passing::{io as passing_io, is_waking};
pub(crate) use socket::tcp;
pub(crate) use tls::client_config;
