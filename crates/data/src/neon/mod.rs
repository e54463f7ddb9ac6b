//! `PostgreSQL` over HTTP, in the protocol of Neon's serverless driver.
//!
//! For places without TCP connections, or where each would be opened for one statement: Neon, PlanetScale's Postgres,
//! and whatever speaks the protocol (our own `[sql]`). One POST is one statement, or several as one transaction; there
//! is no session, so nothing leaks from one to the next. Where TCP can be had it is the better choice: a round trip
//! costs less, rows stream, and answers are not limited to 10 MiB.
//!
//! ```no_run
//! use paceline_data::neon::{NeonClient, NeonQuery};
//! use std::time::{Duration, Instant};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let client = NeonClient::new("neon+https://app:secret@ep-cool-rain-123456.eu-central-1.aws.neon.tech/shop".parse()?)?;
//! let query = NeonQuery::new("SELECT title FROM posts WHERE id = $1::int").value("7");
//! let result = client.read(&query, Instant::now() + Duration::from_secs(5)).await?;
//! assert_eq!(result.rows().next().and_then(|row| row.text(0)), Some("hello"));
//! # Ok(())
//! # }
//! ```
//!
//! What is sent again: connecting, always; an answer that says that the database was waking up and nothing was done;
//! and everything else only for statements that the caller says to read ([`NeonClient::read`]). What may have changed
//! something is sent once.

mod address;
mod client;
mod database;
mod error;
mod export;
mod moment;
mod options;
mod query;
mod result;
mod row;
mod wake;
mod write;

pub use address::{InvalidNeonAddress, NeonAddress};
pub use client::NeonClient;
pub use error::{NeonError, NeonOpenError, NeonRefusal};
pub use options::NeonOptions;
pub use query::NeonQuery;
pub use result::{NeonField, NeonResult, NeonRow};

pub(crate) use database::NeonDatabase;
