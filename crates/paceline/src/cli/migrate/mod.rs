//! `paceline migrate`: changes of a database's schema. Nothing is made there unless this is asked for.

mod tables;
mod versions;

use clap::{Args, Subcommand};

use super::Failure;

/// Change the schema of a database for Paceline, and back
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Put triggers on tables of PostgreSQL that tell of changes, so that unchanged answers need no query
    InstallVersions(versions::Install),
    /// Take out what install-versions put in
    RemoveVersions(versions::Remove),
    /// Make the table in which answers to requests with an Idempotency-Key are kept
    InstallIdempotency(tables::Install),
    /// Make the table in which jobs that follow writes wait until they are moved to the job store
    InstallOutbox(tables::Install),
}

impl Migrate {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::InstallVersions(install) => install.run(),
            Verb::RemoveVersions(remove) => remove.run(),
            Verb::InstallIdempotency(install) => install.run(tables::Kind::Idempotency),
            Verb::InstallOutbox(install) => install.run(tables::Kind::Outbox),
        }
    }
}
