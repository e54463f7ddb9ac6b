//! What is answered when there is no result: JSON with `message` and the parts of `PostgreSQL`'s errors, `null` where
//! there is nothing to say.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use paceline_data::postgres::text::{Part, Refusal, TextError};
use paceline_http::problem::Problem;
use serde_json::{Map, Value};

/// The members of an error, and what they tell.
const MEMBERS: [(&str, Part); 17] = [
    ("message", Part::Message),
    ("code", Part::Code),
    ("severity", Part::Severity),
    ("detail", Part::Detail),
    ("hint", Part::Hint),
    ("position", Part::Position),
    ("internalPosition", Part::InternalPosition),
    ("internalQuery", Part::InternalQuery),
    ("where", Part::Where),
    ("schema", Part::Schema),
    ("table", Part::Table),
    ("column", Part::Column),
    ("dataType", Part::DataType),
    ("constraint", Part::Constraint),
    ("file", Part::File),
    ("line", Part::Line),
    ("routine", Part::Routine),
];

/// A request that has no result.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
}

impl Failure {
    fn new(status: StatusCode, said: impl Fn(Part) -> Option<String>) -> Self {
        let member = |(name, part): (&str, Part)| {
            let value = said(part).map_or(Value::Null, Value::String);
            (name.to_owned(), value)
        };
        Self {
            status,
            members: MEMBERS.into_iter().map(member).collect(),
            retry_after: None,
        }
    }

    fn told(status: StatusCode, code: Option<&str>, message: &str) -> Self {
        Self::new(status, |part| match part {
            Part::Message => Some(message.to_owned()),
            Part::Code => code.map(str::to_owned),
            Part::Severity => code.map(|_| "ERROR".to_owned()),
            _ => None,
        })
    }

    /// What was sent is not what the protocol wants.
    pub(super) fn malformed(message: &str) -> Self {
        Self::told(StatusCode::BAD_REQUEST, None, message)
    }

    /// Nobody who may. Told as `PostgreSQL` tells a wrong password, which is what drivers look for.
    pub(super) fn unauthorized(message: &str) -> Self {
        Self::told(StatusCode::BAD_REQUEST, Some("28P01"), message)
    }

    /// Nobody who may, too often.
    pub(super) fn too_many_guesses(wait: Duration) -> Self {
        let message = format!(
            "too many wrong passwords or tokens from this address: nothing of it is looked at for {} s",
            wait.as_secs()
        );
        Self {
            retry_after: Some(wait),
            ..Self::told(StatusCode::TOO_MANY_REQUESTS, None, &message)
        }
    }

    pub(super) fn too_large(most: usize) -> Self {
        let message = format!(
            "the response is larger than {most} bytes: ask for fewer rows at a time, or write them with COPY over TCP"
        );
        Self::told(StatusCode::INSUFFICIENT_STORAGE, None, &message)
    }

    fn refused(refusal: &Refusal) -> Self {
        Self::new(StatusCode::BAD_REQUEST, |part| {
            refusal.part(part).map(str::to_owned)
        })
    }
}

impl From<Problem> for Failure {
    /// What was wrong with the body, before it was looked at.
    fn from(problem: Problem) -> Self {
        let message = problem.detail().unwrap_or(problem.title());
        Self::told(problem.status(), None, message)
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Refused(refusal) => Self::refused(&refusal),
            TextError::Timeout(most) => {
                let message = format!("the statement took longer than {most:?} and was stopped");
                Self::told(StatusCode::BAD_REQUEST, Some("57014"), &message)
            }
            TextError::TooLarge(most) => {
                let message =
                    format!("the result is larger than {most}: ask for fewer rows at a time");
                Self::told(StatusCode::INSUFFICIENT_STORAGE, None, &message)
            }
            TextError::NotConnected(error) => {
                tracing::warn!(%error, "a statement over HTTP had no connection");
                let retry_after = Some(error.retry_after());
                let message = "the database has no connection for this request: try again";
                Self {
                    retry_after,
                    ..Self::told(StatusCode::SERVICE_UNAVAILABLE, None, message)
                }
            }
            error => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "a statement over HTTP was not answered");
                let message = "the connection to the database was lost: whether the statement was carried out is not known";
                Self::told(StatusCode::INTERNAL_SERVER_ERROR, None, message)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Value::Object(self.members).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        response
    }
}

pub(super) fn not_found() -> Failure {
    let message = "there is nothing here: statements are sent to /sql";
    Failure::told(StatusCode::NOT_FOUND, None, message)
}

pub(super) fn wrong_method() -> ([(http::HeaderName, &'static str); 1], Failure) {
    let message = "statements are sent with POST";
    let failure = Failure::told(StatusCode::METHOD_NOT_ALLOWED, None, message);
    ([(ALLOW, "POST")], failure)
}
