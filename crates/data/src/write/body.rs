//! A JSON object as its members, each value still as its text: numbers lose no digit, and a name
//! given twice is seen.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::invalid::{BodyError, FieldError, FieldErrorCode, MalformedBody};

/// The members of an object in the order of the text.
#[derive(Debug)]
pub(super) struct Body<'text>(pub(super) Vec<(String, &'text RawValue)>);

impl<'text> Body<'text> {
    pub(super) fn parse(bytes: &'text [u8]) -> Result<Self, BodyError> {
        let malformed = |error| BodyError::Malformed(MalformedBody(error));
        if bytes.trim_ascii_start().first() == Some(&b'{') {
            return serde_json::from_slice(bytes).map_err(malformed);
        }
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(malformed)?;
        let message = "The body must be a JSON object with the fields to write.".to_owned();
        let code = FieldErrorCode::NotAnObject;
        Err(BodyError::Invalid(vec![FieldError {
            pointer: String::new(),
            code,
            message,
        }]))
    }
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Body<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Body(members))
    }
}
