//! What is stored, told so that two runs can be compared: ids become labels, times become minutes from now,
//! JSON gets its keys in order, tokens go.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::MINUTE;
use super::operation::Labels;

/// Every fact that is stored, by its key and the part of it: a field, a member, a place in a stream.
pub(super) type Facts = BTreeMap<(String, String), String>;

/// A day: numbers nearer to now than this are times.
const DAY: f64 = 86_400_000.0;

/// Tells one side's dump.
pub(super) struct Telling<'a> {
    pub(super) labels: &'a Labels,
    /// Milliseconds, when it was dumped.
    pub(super) now: f64,
}

impl Telling<'_> {
    /// All facts of a dump.
    pub(super) fn facts(&self, dump: &Map<String, Value>) -> Facts {
        let mut facts = Facts::new();
        for (key, stored) in dump {
            let told = self.text(key);
            let mut fact = |part: &str, value: String| {
                facts.insert((told.clone(), part.to_owned()), value);
            };
            fact("expires", stored["expires"].to_string());
            let value = &stored["value"];
            match stored["type"].as_str().unwrap_or_default() {
                "string" if key.ends_with(":lock") => fact("value", "a token".to_owned()),
                "string" if key.contains(":de:") => fact("value", self.member(value)),
                "string" => fact("value", self.field(value.as_str().unwrap())),
                "list" => fact("items", self.members(value)),
                "set" => fact("members", self.sorted_members(value)),
                "zset" => self.scores(key, value, &mut fact),
                "hash" => {
                    for (field, value) in value.as_object().unwrap() {
                        let value = value.as_str().unwrap();
                        let told = match field.as_str() {
                            "jid" => self.perhaps_never_added(value),
                            // Where the first slot happened to lie.
                            "offset" => "an offset".to_owned(),
                            "delay" => wait(value.parse().unwrap()),
                            _ => self.field(value),
                        };
                        fact(&self.text(field), told);
                    }
                }
                "stream" => {
                    for (index, entry) in value.as_array().unwrap().iter().enumerate() {
                        fact(&format!("{index:03}"), self.canonical(entry).to_string());
                    }
                }
                other => unreachable!("nothing stores a {other}"),
            }
        }
        facts
    }

    fn scores(&self, key: &str, value: &Value, fact: &mut impl FnMut(&str, String)) {
        let pairs = value.as_array().unwrap();
        // The members of `marker` are numbers, not ids.
        let tell = |member: &Value| {
            if key.ends_with(":marker") {
                return member.as_str().unwrap().to_owned();
            }
            self.member(member)
        };
        let order: Vec<String> = pairs.iter().map(|pair| tell(&pair[0])).collect();
        // What was scored within one millisecond is in the order of ids, which are random.
        let by_time = [
            ":completed",
            ":failed",
            ":unsuccessful",
            ":waiting-children",
        ];
        let mut told = order.clone();
        if by_time.iter().any(|end| key.ends_with(end)) {
            told.sort();
        }
        fact("order", told.join(" "));
        for (pair, member) in pairs.iter().zip(order) {
            let score: f64 = pair[1].as_str().unwrap().parse().unwrap();
            let told = if key.ends_with(":delayed") {
                self.number(score / 4096.0)
            } else {
                self.number(score)
            };
            fact(&format!("score of {member}"), told);
        }
    }

    fn members(&self, value: &Value) -> String {
        let members = value
            .as_array()
            .unwrap()
            .iter()
            .map(|item| self.member(item));
        members.collect::<Vec<_>>().join(" ")
    }

    fn sorted_members(&self, value: &Value) -> String {
        let mut members: Vec<String> = value
            .as_array()
            .unwrap()
            .iter()
            .map(|item| self.member(item))
            .collect();
        members.sort();
        members.join(" ")
    }

    /// Text that may be an id.
    fn member(&self, value: &Value) -> String {
        let text = value.as_str().unwrap_or_default();
        self.labels
            .of(text)
            .map_or_else(|| self.field(text), |label| format!("<{label}>"))
    }

    /// An id that was drawn for a job and may not have been used.
    fn perhaps_never_added(&self, id: &str) -> String {
        self.labels
            .of(id)
            .map_or_else(|| "an id".to_owned(), |label| format!("<{label}>"))
    }

    /// Text that may be JSON or a number.
    fn field(&self, text: &str) -> String {
        if let Ok(number) = text.parse::<f64>() {
            return self.number(number);
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) if value.is_object() || value.is_array() => {
                self.canonical(&value).to_string()
            }
            _ => self.text(text),
        }
    }

    /// JSON with all that differs from run to run told alike.
    fn canonical(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let told = fields.iter().map(|(name, value)| {
                    let value = match name.as_str() {
                        "id" | "jobId" if value.is_string() => Value::String(self.member(value)),
                        "delay" if value.is_number() => {
                            Value::String(wait(value.as_f64().unwrap()))
                        }
                        "deduplicatedJobId" => {
                            Value::String(self.perhaps_never_added(value.as_str().unwrap()))
                        }
                        _ => self.canonical(value),
                    };
                    (name.clone(), value)
                });
                Value::Object(told.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.canonical(item)).collect(),
            Value::Number(number) => Value::String(self.number(number.as_f64().unwrap())),
            Value::String(text) => Value::String(self.field(text)),
            other => other.clone(),
        }
    }

    /// A time as the minutes from now to it, any other number as it is.
    fn number(&self, number: f64) -> String {
        let distance = number - self.now;
        if distance.abs() > DAY {
            return number.to_string();
        }
        #[allow(clippy::cast_precision_loss, reason = "a minute has few milliseconds")]
        let minutes = (distance / MINUTE as f64).round();
        // Not "-0".
        format!("{}m", minutes + 0.0)
    }

    /// Text in which keys of jobs and times may stand.
    fn text(&self, text: &str) -> String {
        let parts = text.split(' ').map(|word| {
            let parts: Vec<String> = word.split(':').map(|part| self.part(part)).collect();
            match (word.strip_prefix("bull:"), parts.as_slice()) {
                (Some(_), [prefix, queue, _, rest @ ..]) => {
                    let id = word.split(':').nth(2).unwrap_or_default();
                    let id = self
                        .labels
                        .of(id)
                        .map_or_else(|| self.part(id), |label| format!("<{label}>"));
                    let head = [prefix.clone(), queue.clone(), id];
                    head.iter()
                        .chain(rest)
                        .cloned()
                        .collect::<Vec<_>>()
                        .join(":")
                }
                _ => parts.join(":"),
            }
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// A part between colons: a time in whole milliseconds is told as such.
    fn part(&self, part: &str) -> String {
        let is_time = part.len() == 13 && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_time {
            return self.number(part.parse().unwrap());
        }
        part.to_owned()
    }
}

/// A time to wait, in minutes: until a scheduler's slot it depends on the moment.
fn wait(millis: f64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a minute has few milliseconds")]
    let minutes = (millis / MINUTE as f64).round();
    format!("{minutes} minutes")
}
