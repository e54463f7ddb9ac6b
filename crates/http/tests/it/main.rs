//! The crate from outside: layers around services, and the cache under concurrency.

#![expect(clippy::unwrap_used, reason = "in a test the panic is the message")]

mod coding;
mod composition;
mod compression;
mod conditional;
mod encoded_cache;
mod events;
mod exchange;
#[cfg(feature = "redis")]
mod limits;
mod rows;
mod streaming;
mod unsafe_methods;
mod upgrade;
mod validator;
mod variant_cache;
