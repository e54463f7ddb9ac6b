//! Verbs that delete, or change a schema, ask first.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::Failure;

#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct Consent {
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Asks on a terminal; elsewhere `--yes` has to be given.
pub(in crate::cli) fn confirm(Consent { yes }: Consent, question: &str) -> Result<(), Failure> {
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
        _ => Err(Failure::Run("nothing was changed".to_owned())),
    }
}
