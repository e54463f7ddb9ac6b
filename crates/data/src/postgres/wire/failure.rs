//! Why an exchange gave no answer.

use std::io;

use tokio_postgres::error::SqlState;

use crate::postgres::error::meaning;
use crate::postgres::text::{Part, Refusal};
use crate::run::RunError;
use crate::server::Stopped;

/// A statement gave no rows, or not all.
#[derive(Debug, thiserror::Error)]
pub(in crate::postgres) enum Failure {
    /// The server refused it.
    #[error("the server refused")]
    Refused(#[from] Refusal),
    /// The connection ended, or what came over it is not understood.
    #[error("the connection to the server was lost")]
    Lost(#[from] io::Error),
}

impl Stopped for Failure {
    fn is_over(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn meaning(self) -> RunError {
        match self {
            Self::Lost(error) => RunError::unreachable(error),
            Self::Refused(refusal) => {
                let state = refusal.part(Part::Code).unwrap_or_default().to_owned();
                meaning(&state, refusal)
            }
        }
    }
}

impl Failure {
    /// Whether the server has forgotten the statement, or its table has changed: prepared again it will do. Nothing
    /// has run then.
    pub(super) fn is_stale(&self) -> bool {
        let Self::Refused(refusal) = self else {
            return false;
        };
        let (code, message) = (refusal.part(Part::Code), refusal.part(Part::Message));
        code == Some(SqlState::INVALID_SQL_STATEMENT_NAME.code())
            || (code == Some(SqlState::FEATURE_NOT_SUPPORTED.code())
                && message.is_some_and(|message| message.contains("cached plan")))
    }
}
