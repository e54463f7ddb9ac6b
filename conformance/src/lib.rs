//! HTTP conformance as data.
//!
//! A [`Case`](case::Case) says what an [`origin`] does, what is asked, and what is right. [`run`](run::run)
//! asks any server the cases: our own layers (the test of this crate, which must pass them all), a proxy in front
//! of the origin, a framework with the origin as its handler, or a URL somewhere.
//!
//! `README.md` beside this crate says how to point it at a server, and how a case is written.

pub mod case;
mod check;
mod decode;
mod exchange;
pub mod origin;
pub mod ours;
pub mod peers;
pub mod run;
pub mod table;
