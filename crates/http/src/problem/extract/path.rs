//! Parts of the path that cannot be read.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use http::StatusCode;

use crate::parameters::cut;
use crate::problem::{Problem, code};

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        let PathRejection::FailedToDeserializePathParams(error) = &rejection else {
            return Self::internal(rejection);
        };
        match error.kind() {
            ErrorKind::ParseErrorAtKey { key, value, .. }
            | ErrorKind::DeserializeError { key, value, .. } => unreadable(value, key),
            ErrorKind::ParseErrorAtIndex { value, .. } | ErrorKind::ParseError { value, .. } => {
                unreadable(value, "")
            }
            ErrorKind::InvalidUtf8InPathParam { .. } => {
                invalid("A part of the path is not UTF-8 text in percent-encoding.".to_owned())
            }
            ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
                Self::internal(rejection)
            }
            _ => invalid("A part of the path cannot be read.".to_owned()),
        }
    }
}

fn unreadable(value: &str, key: &str) -> Problem {
    let what = if key.is_empty() {
        String::new()
    } else {
        format!(" as {key:?}")
    };
    invalid(format!(
        "The part {:?} of the path cannot be read{what}.",
        cut(value)
    ))
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code::INVALID_PATH).with_detail(detail)
}
