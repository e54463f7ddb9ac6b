//! A request: its statements, and how it wants the answer.

use http::{HeaderMap, HeaderName, HeaderValue};
use paceline_data::postgres::text::{Isolation, TextQuery, Transaction};
use serde::Deserialize;
use serde_json::Value;

use super::failure::Failure;
use super::parameter;

const RAW_TEXT: &str = "neon-raw-text-output";
const ARRAY_MODE: &str = "neon-array-mode";
const ISOLATION: HeaderName = HeaderName::from_static("neon-batch-isolation-level");
const READ_ONLY: HeaderName = HeaderName::from_static("neon-batch-read-only");
const DEFERRABLE: HeaderName = HeaderName::from_static("neon-batch-deferrable");

/// What batches are told, and answered with.
const OF_BATCHES: [HeaderName; 3] = [ISOLATION, READ_ONLY, DEFERRABLE];

/// Statements of a batch: more are a program that should not be sent at once.
const MOST_STATEMENTS: usize = 10_000;

/// How an answer is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Values as the text the server wrote, and not as numbers, truth values, JSON and lists.
    pub(super) raw: bool,
    /// Rows as lists, and not as objects.
    pub(super) arrays: bool,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// One statement by itself.
    One(TextQuery, Form),
    /// Statements in one transaction.
    Batch(Vec<(TextQuery, Form)>, Transaction),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Batch { queries: Vec<One> },
    One(One),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    query: String,
    #[serde(default)]
    params: Vec<Value>,
    array_mode: Option<bool>,
}

impl One {
    fn read(self, usual: Form) -> (TextQuery, Form) {
        let form = Form {
            arrays: self.array_mode.unwrap_or(usual.arrays),
            ..usual
        };
        let query = TextQuery {
            sql: self.query,
            values: self.params.iter().map(parameter::text).collect(),
        };
        (query, form)
    }
}

/// Reads a request. Its media type is not looked at: drivers send JSON as `text/plain`.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Failure> {
    let usual = Form {
        raw: is_true(headers, RAW_TEXT)?.unwrap_or(false),
        arrays: is_true(headers, ARRAY_MODE)?.unwrap_or(false),
    };
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        let wanted = r#"{"query": "...", "params": [...]} or {"queries": [...]}"#;
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::malformed(&format!("the body is not {wanted} ({place})"))
    })?;
    match body {
        Body::One(one) => {
            let (query, form) = one.read(usual);
            Ok(Asked::One(query, form))
        }
        Body::Batch { queries } if queries.len() > MOST_STATEMENTS => {
            let message = format!("a batch may have {MOST_STATEMENTS} statements");
            Err(Failure::malformed(&message))
        }
        Body::Batch { queries } => {
            let transaction = transaction(headers)?;
            let queries = queries.into_iter().map(|one| one.read(usual)).collect();
            Ok(Asked::Batch(queries, transaction))
        }
    }
}

/// The headers that a batch was told, for its answer.
pub(super) fn of_batch(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let given = OF_BATCHES
        .into_iter()
        .filter_map(|name| Some((headers.get(&name)?.clone(), name)));
    given.map(|(value, name)| (name, value)).collect()
}

fn transaction(headers: &HeaderMap) -> Result<Transaction, Failure> {
    let isolation = match headers.get(&ISOLATION).map(HeaderValue::as_bytes) {
        None => None,
        Some(b"ReadUncommitted") => Some(Isolation::ReadUncommitted),
        Some(b"ReadCommitted") => Some(Isolation::ReadCommitted),
        Some(b"RepeatableRead") => Some(Isolation::RepeatableRead),
        Some(b"Serializable") => Some(Isolation::Serializable),
        Some(_) => {
            return Err(Failure::malformed(
                "Neon-Batch-Isolation-Level is ReadUncommitted, ReadCommitted, RepeatableRead or Serializable",
            ));
        }
    };
    Ok(Transaction {
        isolation,
        read_only: is_true(headers, READ_ONLY.as_str())?,
        deferrable: is_true(headers, DEFERRABLE.as_str())?,
    })
}

fn is_true(headers: &HeaderMap, name: &str) -> Result<Option<bool>, Failure> {
    match headers.get(name).map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"true") => Ok(Some(true)),
        Some(b"false") => Ok(Some(false)),
        Some(_) => Err(Failure::malformed(&format!("{name} is true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn one_statement_or_a_batch_each_with_its_form() {
        let given = headers(&[(RAW_TEXT, "true"), ("neon-batch-read-only", "true")]);
        let body = br#"{"query":"SELECT $1","params":[1],"arrayMode":true}"#;
        let Ok(Asked::One(query, form)) = read(&given, body) else {
            panic!("one");
        };
        assert_eq!(query.values, [Some("1".to_owned())]);
        let arrays = true;
        assert_eq!(form, Form { raw: true, arrays });
        let body = br#"{"queries":[{"query":"SELECT 1"},{"query":"SELECT 2","params":[],"arrayMode":true}]}"#;
        let Ok(Asked::Batch(queries, transaction)) = read(&given, body) else {
            panic!("a batch");
        };
        let forms: Vec<bool> = queries.iter().map(|(_, form)| form.arrays).collect();
        assert_eq!(forms, [false, true]);
        assert_eq!(transaction.read_only, Some(true));
        assert_eq!(of_batch(&given).len(), 1);
    }

    #[test]
    fn what_is_not_the_protocol_is_refused() {
        for body in ["", "[]", "{}", r#"{"query":1}"#, r#"{"queries":[1]}"#] {
            assert!(read(&HeaderMap::new(), body.as_bytes()).is_err(), "{body}");
        }
        let body = br#"{"queries":[]}"#;
        for (name, value) in [
            (RAW_TEXT, "yes"),
            ("neon-batch-isolation-level", "Dirty"),
            ("neon-batch-deferrable", ""),
        ] {
            assert!(read(&headers(&[(name, value)]), body).is_err(), "{name}");
        }
    }
}
