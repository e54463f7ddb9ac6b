//! `PlanetScale`'s MySQL over HTTP: for places that can open no connection to a database.
//!
//! ```no_run
//! use paceline_data::{Row as _, Value};
//! use paceline_data::planetscale::{ClientOptions, PlanetScaleClient, Repeat, literal};
//! use std::time::{Duration, Instant};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let address = "planetscale://user:pscale_pw_x@aws.connect.psdb.cloud/shop".parse()?;
//! let client = PlanetScaleClient::new(address, ClientOptions::default())?;
//! let soon = || Instant::now() + Duration::from_secs(5);
//! let mut session = client.session(soon()).await?;
//! let name = literal(&Value::Text("O'Hara".to_owned()))?;
//! let sql = format!("SELECT id FROM users WHERE name = {name}");
//! let found = session.execute(&sql, Repeat::Allowed, soon()).await?;
//! let rows = found.each(|row| {
//!     println!("{:?}", row.cell(0));
//!     Ok::<(), serde_json::Error>(())
//! })?;
//! println!("{rows} rows");
//! # Ok(())
//! # }
//! ```
//!
//! Each statement is one request. The protocol knows no placeholders, so values are put into the text here
//! ([`literal`]), and a session in which they would mean something else is not used. What the vendor hands out as the
//! session goes back with the next request; a transaction is a session between `BEGIN` and its end.
//!
//! Where a connection over TCP can be opened, MySQL's own protocol is the better way ([`mysql`](crate::mysql)): rows
//! arrive while they are read, and an answer has no end at 100,000 rows.

mod address;
mod client;
mod column;
mod database;
pub mod doctor;
mod error;
mod literal;
mod options;
mod refusal;
mod reply;
mod rows;
mod session;
mod statistics;
mod transaction;
mod writer;

pub use address::Address;
pub use client::{ClientOptions, PlanetScaleClient};
pub use error::PlanetScaleError;
pub use literal::{NotALiteral, literal};
pub use options::{PlanetScaleOpenError, PlanetScaleOptions};
pub use refusal::Refusal;
pub use rows::{PlanetScaleRow, Rows};
pub use session::{PlanetScaleSession, Repeat};
pub use statistics::ClientStatistics;
pub use transaction::{TRANSACTION_LIMIT, Transaction};

pub(crate) use database::PlanetScaleDatabase;
