//! Connections to MySQL and `MariaDB`, for a [`Pool`](crate::pool::Pool).
//!
//! ```no_run
//! use paceline_data::mysql::connect::MySqlManager;
//! use paceline_data::pool::{Pool, PoolOptions};
//! use std::time::{Duration, Instant};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = MySqlManager::new("mysql://app@db.example.com/shop".parse()?)?;
//! let pool = Pool::new(manager, PoolOptions::default());
//! let lease = pool.acquire(Instant::now() + Duration::from_secs(2)).await?;
//! println!("{}", lease.session().version);
//! # Ok(())
//! # }
//! ```
//!
//! Connections are encrypted, and the server's certificate is checked, unless the address says otherwise or never
//! leaves the machine. They are not reset when they come back: nothing here leaves anything on a session.

pub(crate) mod address;
mod connection;
mod error;
mod kill;
mod manager;
mod parameters;
pub(crate) mod session;
mod tls;

pub use crate::postgres::connect::{Encryption, InvalidAddress, StatementMode, TlsSetUpError};
pub use address::{Address, Host};
pub use connection::MySqlConnection;
pub use error::ConnectError;
pub use manager::MySqlManager;
pub use session::Session;
