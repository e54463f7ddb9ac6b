//! What an engine refuses, as a sentence for people: what happened and what to do.

use std::fmt::Write as _;

use paceline_jobs::{AddError, EngineError, ManageError};

use crate::cli::Failure;

/// A store that did not do its work.
pub(super) fn engine(error: &EngineError) -> Failure {
    let mut failure = Failure::run(error);
    if let (EngineError::Unsupported(what), Failure::Run(text)) = (error, &mut failure) {
        write!(text, ". {}", instead(what)).expect("a string takes everything");
    }
    failure
}

/// A job or scheduler that was not stored.
pub(super) fn add(error: &AddError) -> Failure {
    match error {
        AddError::Engine(error) => engine(error),
        AddError::Invalid(_) | AddError::Schedule(_) | AddError::OptionConflict(_) => {
            Failure::Usage(error.to_string())
        }
        other => Failure::run(other),
    }
}

/// A change to a queue that was refused.
pub(super) fn manage(error: &ManageError) -> Failure {
    match error {
        ManageError::Engine(error) => engine(error),
        ManageError::HasActive(_) => Failure::Run(format!("{error} (--force)")),
        ManageError::NotPaused => Failure::Run(format!("{error} (paceline jobs pause QUEUE)")),
        other => Failure::run(other),
    }
}

/// What to use where a store lacks something. The words are those of the engines.
fn instead(what: &str) -> &'static str {
    match what {
        "searches" => "Use `paceline jobs list QUEUE --state STATE --json` and search its output",
        "logs" => "The last error of each attempt is in `paceline jobs show QUEUE ID`",
        "bulk actions" => "Use the same verb with the id of one job",
        "cancellations" => "Stop its worker, then `paceline jobs remove QUEUE ID`",
        "queue settings" => "Set the concurrency of the worker instead",
        "schedulers" => {
            "Run `paceline jobs add` from cron, or use a store in a file (sqlite:jobs.db)"
        }
        _ => "A store in a file (sqlite:jobs.db) has it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_lacks_is_said_with_what_to_use_instead() {
        let told = engine(&EngineError::Unsupported("flows")).to_string();
        assert_eq!(
            told,
            "flows are not supported by this job store. A store in a file (sqlite:jobs.db) has it"
        );
    }
}
