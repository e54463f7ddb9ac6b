//! One request of a case.

use serde::Deserialize;

use super::expected::Expected;

/// A request and what is expected of its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The method; `GET` by default.
    #[serde(default = "get")]
    pub method: String,
    /// Lines of the head, `name: value`, in order. `{etag:1}` stands for the `ETag` of step 1's answer, and so does
    /// `{NAME:N}` for any field of any step before.
    #[serde(default)]
    pub headers: Vec<String>,
    /// One more line, made of many equal parts.
    pub repeated: Option<Repeated>,
    /// What is expected.
    #[serde(default)]
    pub expect: Expected,
}

/// A long header line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// The field.
    pub name: String,
    /// One part.
    pub part: String,
    /// How many.
    pub times: usize,
}

fn get() -> String {
    "GET".to_owned()
}
