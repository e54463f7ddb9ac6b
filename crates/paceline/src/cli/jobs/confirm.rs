//! Verbs that delete ask first.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use crate::cli::Failure;

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Consent {
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Asks on a terminal; elsewhere `--yes` has to be given.
pub(super) fn confirm(Consent { yes }: Consent, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        let text = format!("{question} Nobody can be asked here: give --yes if that is meant");
        return Err(Failure::Usage(text));
    }
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::run(&error))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Run("nothing was deleted".to_owned())),
    }
}
