//! `paceline lambda`: what it takes to put a service on AWS Lambda.

mod budget;
mod drive;
mod facts;
mod package;
mod page;
mod start;
mod template;
mod words;

use clap::{Args, Subcommand};

use super::Failure;

pub(super) use start::arguments;

/// Put a service on AWS Lambda
#[derive(Debug, Args)]
pub(super) struct Lambda {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a SAM template for a configuration
    Template(template::Template),
    /// Write the archive that is uploaded
    Package(package::Package),
    /// Say which memory, timeout and provisioned concurrency measurements ask for
    Budget(budget::Budget),
}

impl Lambda {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Template(template) => template.run(),
            Verb::Package(package) => package.run(),
            Verb::Budget(budget) => budget.run(),
        }
    }
}
