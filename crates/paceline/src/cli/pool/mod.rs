//! `paceline pool`: what connections to a database lead to.

mod doctor;
mod mysql;
mod planetscale;

use clap::{Args, Subcommand};

use super::Failure;

/// See what connections to a database lead to
#[derive(Debug, Args)]
pub(super) struct Pool {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what an address leads to, what is safe there, and which configuration fits
    Doctor(doctor::Doctor),
}

impl Pool {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Doctor(doctor) => doctor.run(),
        }
    }
}
