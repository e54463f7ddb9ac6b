//! What the vendor answers, read without copying its rows.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

use super::column::Field;
use super::refusal::Told;
use super::rows::Rows;

/// The answer to one statement.
#[derive(Debug, serde::Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    session: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<Outcome<'a>>,
    #[serde(default)]
    error: Option<Told>,
    #[serde(default)]
    timing: f64,
}

#[derive(Debug, Default, serde::Deserialize)]
struct Outcome<'a> {
    #[serde(default, rename = "rowsAffected")]
    rows_affected: Number,
    #[serde(default, rename = "insertId")]
    insert_id: Number,
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(borrow, default)]
    rows: Option<&'a RawValue>,
}

/// The same, on its own feet.
#[derive(Debug)]
pub(super) struct Reply {
    /// What is to be sent back with the next statement.
    pub(super) session: Option<Box<RawValue>>,
    /// Seconds the server worked on it.
    pub(super) seconds: f64,
    pub(super) outcome: Result<Rows, Told>,
}

impl Reply {
    /// Reads the body of an answer.
    pub(super) fn read(body: Vec<u8>) -> Result<Self, serde_json::Error> {
        let answer: Answer<'_> = serde_json::from_slice(&body)?;
        let session = answer.session.map(ToOwned::to_owned);
        let seconds = answer.timing;
        if let Some(told) = answer.error {
            return Ok(Self {
                session,
                seconds,
                outcome: Err(told),
            });
        }
        let result = answer.result.unwrap_or_default();
        let columns: Arc<[_]> = result.fields.iter().map(Field::column).collect();
        let (affected, insert_id) = (result.rows_affected, result.insert_id);
        let place = result.rows.map(|rows| place_of(rows.get(), &body));
        Ok(Self {
            session,
            seconds,
            outcome: Ok(Rows::new(
                affected.positive(),
                insert_id.positive(),
                columns,
                body,
                place,
            )),
        })
    }
}

/// Where a part of the body stands in it.
fn place_of(part: &str, body: &[u8]) -> Range<usize> {
    let begin = part.as_ptr().addr() - body.as_ptr().addr();
    begin..begin + part.len()
}

/// An error that is the whole answer, in either of the forms it comes in.
#[derive(Debug, serde::Deserialize)]
struct Whole {
    #[serde(default)]
    error: Option<Said>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
}

/// What an answer that is no answer to a statement says, cut to a line.
pub(super) fn said(body: &[u8]) -> String {
    let whole: Option<Whole> = serde_json::from_slice(body).ok();
    let said = whole.and_then(|whole| whole.error.map(|said| said.message).or(whole.message));
    let said = said.unwrap_or_default();
    said.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A whole number, which comes as a text mostly.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Number(pub(super) i128);

impl Number {
    fn positive(self) -> u64 {
        u64::try_from(self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or the text of one")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.into()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
