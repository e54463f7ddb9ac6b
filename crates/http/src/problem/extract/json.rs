//! Bodies that are no JSON, or not that JSON.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, JsonRejection};
use http::StatusCode;

use super::read::{cause, mistake, pointer};
use crate::problem::{Problem, Violation, code};

type JsonError = serde_path_to_error::Error<serde_json::Error>;

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match &rejection {
            JsonRejection::JsonDataError(error) => invalid(cause::<JsonError>(error)),
            JsonRejection::JsonSyntaxError(error) => {
                // What follows a whole JSON text is an error without a path.
                let inner = cause::<JsonError>(error).map(JsonError::inner);
                malformed(inner.or_else(|| cause::<serde_json::Error>(error)))
            }
            JsonRejection::MissingJsonContentType(_) => {
                Self::unsupported_media_type("application/json")
            }
            JsonRejection::BytesRejection(error) => unread(error),
            _ => Self::malformed_body("Send the body as JSON."),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        unread(&rejection)
    }
}

fn invalid(error: Option<&JsonError>) -> Problem {
    let Some(error) = error else {
        return Problem::unprocessable([]);
    };
    let mistake = mistake(&error.inner().to_string());
    Problem::unprocessable([Violation::at_pointer(
        pointer(error.path()),
        mistake.code,
        mistake.detail,
    )])
}

fn malformed(error: Option<&serde_json::Error>) -> Problem {
    match error {
        Some(error) => Problem::malformed_body(format!(
            "The body is no JSON: look at line {}, column {}.",
            error.line(),
            error.column()
        )),
        None => Problem::malformed_body("The body is no JSON."),
    }
}

fn unread(error: &BytesRejection) -> Problem {
    match error {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::PAYLOAD_TOO_LARGE)
                .with_detail("The body is longer than is accepted here. Send less at once.")
        }
        _ => Problem::malformed_body("The body could not be read to its end. Send it again."),
    }
}
