//! `PostgreSQL`.

pub mod connect;
pub mod doctor;
