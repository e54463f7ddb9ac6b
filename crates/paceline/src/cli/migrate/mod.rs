//! `paceline migrate`: changes of a database's schema, shown before they are made.

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
}

impl Migrate {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::InstallVersions(install) => install.run(),
            Verb::RemoveVersions(remove) => remove.run(),
        }
    }
}
