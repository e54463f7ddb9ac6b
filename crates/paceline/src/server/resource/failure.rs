//! What goes wrong below HTTP, as problem documents.

use std::time::Duration;

use http::StatusCode;
use paceline_data::query::QueryError;
use paceline_data::sqlite::RunError;
use paceline_http::conditional::PreconditionRefused;
use paceline_http::problem::Problem;

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
        return Problem::unavailable(wait, "Too many queries are waiting. Try again in a second.");
    }
    if error.is_busy() || error.is_stopped() {
        return Problem::unavailable(
            wait,
            "The database cannot be used at the moment. Try again in a second.",
        );
    }
    Problem::internal(error)
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
