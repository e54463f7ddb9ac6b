//! `PostgreSQL`.

pub mod connect;
