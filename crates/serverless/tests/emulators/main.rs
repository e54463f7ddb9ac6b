//! Real emulators of the platform: AWS's own, and the one of cargo-lambda, on a function that is this program.
//!
//! `cargo xtask test lambda` installs them and says where they are.

mod cargo_lambda;
mod emulator;
mod function;
mod managed;
mod rie;
mod warmers;
