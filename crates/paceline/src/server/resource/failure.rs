//! What goes wrong below HTTP, as problem documents.

use std::time::Duration;

use http::StatusCode;
use paceline_data::RunError;
use paceline_data::query::QueryError;
use paceline_data::write::{BodyError, Constraint, WriteError};
use paceline_http::conditional::PreconditionRefused;
use paceline_http::problem::{Problem, Violation};

/// A mistake in a parameter.
pub(in crate::server) fn query(error: &QueryError) -> Problem {
    Problem::invalid_parameter(error.parameter.clone(), error.detail.clone())
        .with_code(error.code.as_str())
}

/// A query that did not run.
pub(in crate::server) fn run(error: RunError) -> Problem {
    let wait = Duration::from_secs(1);
    if error.is_timeout() {
        return Problem::unavailable(
            wait,
            "The query took too long and was stopped. Ask for less, or add an index.",
        )
        .with_code("query-timeout");
    }
    if error.is_overloaded() {
        let wait = error.retry_after().unwrap_or(wait);
        // As `Retry-After` says it: whole seconds, none too few.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let when = match seconds {
            0 | 1 => "a second".to_owned(),
            more => format!("{more} seconds"),
        };
        let detail = format!("Too many queries are waiting. Try again in {when}.");
        return Problem::unavailable(wait, detail);
    }
    if error.is_value() {
        return Problem::bad_request(
            "A value in the request is none that its column can hold, such as a date that does not exist.",
        )
        .with_code("invalid-value");
    }
    if error.is_too_large() {
        return Problem::bad_request(
            "The answer would be larger than 64 MiB (over HTTP to the database 10 MiB, at PlanetScale 32 MiB or 100,000 rows). Ask for fewer rows or fields, or for an export.",
        )
        .with_code("answer-too-large");
    }
    if error.is_unknown() {
        return unknown(error);
    }
    if error.is_busy() || error.is_stopped() || error.is_unreachable() {
        return Problem::unavailable(
            wait,
            "The database cannot be used at the moment. Try again in a second.",
        );
    }
    Problem::internal(error)
}

/// The answer of the database was lost. No `Retry-After`: what may have been done is not to be done again.
fn unknown(error: RunError) -> Problem {
    Problem::internal(error)
        .with_code("outcome-unknown")
        .with_detail("The answer of the database was lost: the write may have been carried out. Read the row before you send it again.")
}

/// A conditional request that is not performed.
pub(in crate::server) fn precondition(refused: PreconditionRefused) -> Problem {
    if refused.status() == StatusCode::PRECONDITION_FAILED {
        Problem::precondition_failed()
    } else {
        Problem::bad_request(
            "Send If-Match and If-None-Match as quoted tags joined by commas, or as *.",
        )
    }
}

/// A body that cannot be written.
pub(super) fn body(error: BodyError) -> Problem {
    match error {
        BodyError::Malformed(malformed) => {
            let cause = std::error::Error::source(&malformed).map(ToString::to_string);
            Problem::malformed_body(format!(
                "The body is not JSON: {}. Send one JSON object.",
                cause.unwrap_or_default()
            ))
        }
        BodyError::Invalid(errors) => {
            Problem::unprocessable(errors.into_iter().map(|error| {
                Violation::at_pointer(error.pointer, error.code.as_str(), error.message)
            }))
        }
    }
}

/// A write that did not take place.
pub(super) fn write(error: WriteError) -> Problem {
    write_at(error, "")
}

/// The same for one row of many; `place` is the JSON pointer of the row, empty for the whole body.
pub(super) fn write_at(error: WriteError, place: &str) -> Problem {
    match error {
        WriteError::NotFound => super::one::no_row(),
        WriteError::PreconditionFailed { .. } => Problem::precondition_failed(),
        WriteError::Constraint(constraint) => forbidden_by(&constraint, place),
        WriteError::Run(error) => run(error),
        other => Problem::internal(other),
    }
}

fn forbidden_by(constraint: &Constraint, place: &str) -> Problem {
    let text = sentence(&constraint.to_string());
    let pointer =
        |field: &String| format!("{place}/{}", field.replace('~', "~0").replace('/', "~1"));
    let mut violations: Vec<Violation> = constraint
        .fields
        .iter()
        .map(|field| Violation::at_pointer(pointer(field), "constraint", text.clone()))
        .collect();
    if violations.is_empty() && !place.is_empty() {
        violations.push(Violation::at_pointer(
            place.to_owned(),
            "constraint",
            text.clone(),
        ));
    }
    if constraint.is_conflict() {
        Problem::conflict(text).with_violations(violations)
    } else {
        Problem::unprocessable(violations).with_detail(text)
    }
}

/// A message of a lower layer with a capital and a full stop.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
