//! Query strings that cannot be read.

use axum::extract::rejection::QueryRejection;
use serde::de::value::Error as ValueError;
use serde_path_to_error::Segment;

use super::read::{cause, mistake};
use crate::problem::Problem;

type QueryError = serde_path_to_error::Error<ValueError>;

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let QueryRejection::FailedToDeserializeQueryString(error) = &rejection else {
            return Self::bad_request("The query cannot be read.");
        };
        let Some(error) = cause::<QueryError>(error) else {
            return Self::bad_request("The query cannot be read.");
        };
        let message = error.inner().to_string();
        let mistake = mistake(&message);
        let name = error.path().iter().find_map(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        });
        match name {
            Some(name) => Self::invalid_parameter(crate::parameters::cut(name), mistake.detail),
            None => {
                Self::bad_request(mistake.detail).with_code(crate::problem::code::INVALID_PARAMETER)
            }
        }
    }
}
