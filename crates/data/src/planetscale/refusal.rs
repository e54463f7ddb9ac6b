//! What the database says when it refuses a statement.

use std::fmt;

use serde::Deserialize;

/// As the vendor sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// A statement that the database refused. The statement's text, which the vendor repeats in its message, is cut out:
/// it may hold values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: String,
    description: String,
    number: Option<u16>,
    state: Option<String>,
}

/// What the numbers stand between.
const NUMBER: &str = " (errno ";
const STATE: &str = ") (sqlstate ";
const CALLER: &str = " (CallerID: ";

impl Refusal {
    /// The kind of error, in the words of Vitess: `AlreadyExists`, `ABORTED`, ...
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the server says.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// MySQL's number of the error, where MySQL refused.
    pub fn number(&self) -> Option<u16> {
        self.number
    }

    /// The SQLSTATE, where MySQL refused.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Whether the answer would have had more rows than the vendor gives: 100,000.
    pub fn is_row_limit(&self) -> bool {
        self.number.is_none() && self.description.starts_with("Row count exceeded")
    }

    /// Whether the transaction was open for longer than the vendor lets it: 20 s. Nothing of it is stored.
    pub fn is_transaction_limit(&self) -> bool {
        self.number.is_none()
            && self.description.starts_with("transaction ")
            && self.description.contains("exceeded timeout")
    }
}

impl From<Told> for Refusal {
    fn from(told: Told) -> Self {
        let message = told.message.as_str();
        // What a tablet says stands behind its code.
        let tablet = message
            .split_once("rpc error: code = ")
            .and_then(|(_, rest)| rest.split_once(" desc = "));
        let (code, said) = tablet.unwrap_or((&told.code, message));
        let (description, number, state) = match numbered(said) {
            Some((description, number, state)) => (description, Some(number), Some(state)),
            None => (
                said.split_once(CALLER).map_or(said, |(said, _)| said),
                None,
                None,
            ),
        };
        Self {
            code: code.to_owned(),
            description: description.to_owned(),
            number,
            state: state.map(str::to_owned),
        }
    }
}

/// What stands before ` (errno 1062) (sqlstate 23000)`, and both. The statement behind it may hold the same text, so
/// the first counts that is followed by the caller; without a caller, what the text ends with.
fn numbered(said: &str) -> Option<(&str, u16, &str)> {
    let parse = |at: usize| {
        let (description, rest) = said.split_at(at);
        let (number, rest) = rest.strip_prefix(NUMBER)?.split_once(STATE)?;
        let (state, rest) = rest.split_at_checked(5)?;
        let rest = rest.strip_prefix(')')?;
        let is_end = rest.is_empty() || rest.starts_with(CALLER);
        is_end.then_some((description, number.parse().ok()?, state))
    };
    said.match_indices(NUMBER).find_map(|(at, _)| parse(at))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.number, &self.state) {
            (Some(number), Some(state)) => write!(f, "{} ({number}, {state})", self.description),
            _ => write!(f, "{} ({})", self.description, self.code),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, message: &str) -> Refusal {
        Refusal::from(Told {
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    #[test]
    fn numbers_are_found_and_statements_cut_out() {
        let found = refusal(
            "UNKNOWN",
            "target: shop.-.primary: vttablet: rpc error: code = AlreadyExists desc = Duplicate entry 'a (errno 1)' for key \
             'users.PRIMARY' (errno 1062) (sqlstate 23000) (CallerID: x): Sql: \"insert into users values ('a (errno 1) \
             (sqlstate 00000) (CallerID: y')\", BindVars: {REDACTED}",
        );
        assert_eq!(found.number(), Some(1062));
        assert_eq!(found.state(), Some("23000"));
        assert_eq!(found.code(), "AlreadyExists");
        assert_eq!(
            found.description(),
            "Duplicate entry 'a (errno 1)' for key 'users.PRIMARY'"
        );
        assert!(!found.to_string().contains("insert"), "{found}");
    }

    #[test]
    fn what_the_gate_says_has_no_number() {
        let found = refusal("INVALID_ARGUMENT", "syntax error at position 10");
        assert_eq!(found.number(), None);
        assert_eq!(
            found.to_string(),
            "syntax error at position 10 (INVALID_ARGUMENT)"
        );
        let ends = refusal(
            "NOT_FOUND",
            "table x not found (errno 1146) (sqlstate 42S02)",
        );
        assert_eq!(ends.number(), Some(1146));
    }

    #[test]
    fn limits_are_known_by_their_words() {
        let rows = refusal(
            "UNKNOWN",
            "target: p.-.primary: vttablet: rpc error: code = Aborted desc = Row count exceeded 100000 (CallerID: x)",
        );
        assert!(rows.is_row_limit() && !rows.is_transaction_limit());
        let late = refusal(
            "UNKNOWN",
            "target: t.-.primary: vttablet: rpc error: code = Aborted desc = transaction 1682: ended at 2023-04-24 \
             20:22:08.207 UTC (exceeded timeout: 20s) (CallerID: x)",
        );
        assert!(late.is_transaction_limit() && !late.is_row_limit());
        assert_eq!(
            late.description(),
            "transaction 1682: ended at 2023-04-24 20:22:08.207 UTC (exceeded timeout: 20s)"
        );
    }
}
