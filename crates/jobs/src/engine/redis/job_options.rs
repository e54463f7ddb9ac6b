//! The options of a job as BullMQ stores them, written and read. What BullMQ has no word for has a name
//! that begins with `pl`. Reading forgives everything: other programs write options too.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::settings::RedisSettings;
use crate::deduplication::Deduplication;
use crate::flow::ChildFailure;
use crate::options::JobOptions;
use crate::retention::Retention;
use crate::retry::{Backoff, BackoffKind};
use crate::state::{JobFacts, State};

/// Error texts kept for other programs to show, unless the job says otherwise.
const TRACES: u32 = 10;

/// What the engine wants to know of a job's options after it was added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StoredOptions {
    pub(super) max_attempts: u32,
    pub(super) backoff: Option<Backoff>,
    pub(super) keep_completed: Option<Retention>,
    pub(super) keep_failed: Option<Retention>,
    pub(super) keep_logs: Option<u32>,
    pub(super) traces: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) lifo: bool,
}

/// What a lease holder's engine remembers of the job, so that its end needs no look-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HeldJob {
    pub(super) options: StoredOptions,
    pub(super) priority: u32,
    pub(super) attempts_made: u32,
    pub(super) stalls: u32,
}

impl HeldJob {
    pub(super) fn facts(&self) -> JobFacts {
        JobFacts {
            state: State::Active,
            priority: self.priority,
            attempts_made: self.attempts_made,
            max_attempts: self.options.max_attempts,
            stalls: self.stalls,
            due_at: None,
            backoff: self.options.backoff,
            lifo: self.options.lifo,
        }
    }

    /// How long the job is kept in `state`, and whether it says so itself.
    pub(super) fn retention(&self, state: State, settings: &RedisSettings) -> (Retention, bool) {
        let (own, default) = match state {
            State::Completed => (self.options.keep_completed, settings.keep_completed),
            _ => (self.options.keep_failed, settings.keep_failed),
        };
        (own.unwrap_or(default), own.is_some())
    }
}

/// Fields of any type: a value nobody can use must not hide the others.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw {
    attempts: Value,
    backoff: Value,
    remove_on_complete: Value,
    remove_on_fail: Value,
    stack_trace_limit: Value,
    kl: Value,
    lifo: Value,
    pl_timeout: Value,
}

impl StoredOptions {
    pub(super) fn read(text: &str) -> Self {
        let raw: Raw = serde_json::from_str(text).unwrap_or_default();
        Self {
            max_attempts: count(&raw.attempts).unwrap_or(1).max(1),
            backoff: backoff(&raw.backoff),
            keep_completed: retention(&raw.remove_on_complete),
            keep_failed: retention(&raw.remove_on_fail),
            keep_logs: count(&raw.kl).filter(|lines| *lines > 0),
            traces: count(&raw.stack_trace_limit).unwrap_or(TRACES).min(100),
            timeout: millis(&raw.pl_timeout).filter(|timeout| !timeout.is_zero()),
            lifo: raw.lifo == Value::Bool(true),
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast stops at the bounds of the type"
)]
fn count(value: &Value) -> Option<u32> {
    value.as_f64().map(|number| number as u32)
}

fn millis(value: &Value) -> Option<Duration> {
    value
        .as_f64()
        .and_then(|millis| Duration::try_from_secs_f64(millis.max(0.0) / 1_000.0).ok())
}

/// A number is a fixed wait; a kind only its own program knows waits as long as it says.
fn backoff(value: &Value) -> Option<Backoff> {
    if value.is_number() {
        return millis(value).map(Backoff::fixed);
    }
    let wait = millis(value.get("delay")?)?;
    let backoff = match value.get("type").and_then(Value::as_str) {
        Some("exponential") => Backoff::exponential(wait),
        _ => Backoff::fixed(wait),
    };
    let jitter = value.get("jitter").and_then(Value::as_f64).unwrap_or(0.0);
    Some(backoff.with_jitter(jitter))
}

/// `true` keeps nothing, `false` everything, a number so many, an object both bounds.
fn retention(value: &Value) -> Option<Retention> {
    const EVERYTHING: Retention = Retention {
        count: u32::MAX,
        age: Duration::MAX,
    };
    match value {
        Value::Bool(true) => Some(Retention::NONE),
        Value::Bool(false) => Some(EVERYTHING),
        Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => {
            Some(EVERYTHING)
        }
        Value::Number(_) => count(value).map(|count| Retention {
            count,
            ..EVERYTHING
        }),
        Value::Object(bounds) => Some(Retention {
            count: bounds.get("count").and_then(count).unwrap_or(u32::MAX),
            age: bounds
                .get("age")
                .and_then(Value::as_f64)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
                .unwrap_or(Duration::MAX),
        }),
        _ => None,
    }
}

/// The stored form of what a producer said.
pub(super) fn write(options: &JobOptions) -> String {
    let mut stored = Map::new();
    let mut put = |name: &str, value: Value| stored.insert(name.to_owned(), value);
    put("attempts", json!(options.attempts.unwrap_or(1)));
    if !options.delay.is_zero() {
        put("delay", json!(whole_millis(options.delay)));
    }
    if options.priority > 0 {
        put("priority", json!(options.priority));
    }
    if let Some(backoff) = &options.backoff {
        put("backoff", written_backoff(backoff));
    }
    if let Some(id) = &options.id {
        put("jobId", json!(id.as_str()));
    }
    for (name, kept) in [
        ("removeOnComplete", options.keep_completed),
        ("removeOnFail", options.keep_failed),
    ] {
        if let Some(kept) = kept {
            put(name, written_retention(kept));
        }
    }
    if options.lifo {
        put("lifo", json!(true));
    }
    if let Some(lines) = options.keep_logs {
        put("kl", json!(lines));
    }
    if let Some(timeout) = options.timeout {
        put("plTimeout", json!(whole_millis(timeout)));
    }
    if let Some(deduplication) = &options.deduplication {
        put("de", written_deduplication(deduplication));
    }
    if let Some(name) = failure_name(options.on_failure) {
        put(name, json!(true));
    }
    Value::Object(stored).to_string()
}

/// The short name of what a child's failure means to its parent.
pub(super) const fn failure_name(failure: ChildFailure) -> Option<&'static str> {
    match failure {
        ChildFailure::ParentWaits => None,
        ChildFailure::FailParent => Some("fpof"),
        ChildFailure::ContinueParent => Some("cpof"),
        ChildFailure::IgnoreDependency => Some("idof"),
        ChildFailure::RemoveDependency => Some("rdof"),
    }
}

pub(super) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn written_backoff(backoff: &Backoff) -> Value {
    let (kind, base, jitter) = backoff.parts();
    let kind = match kind {
        BackoffKind::Fixed => "fixed",
        BackoffKind::Exponential => "exponential",
    };
    let mut value = json!({ "type": kind, "delay": whole_millis(base) });
    if jitter > 0.0 {
        value["jitter"] = json!(jitter);
    }
    value
}

/// BullMQ counts ages in whole seconds.
fn written_retention(kept: Retention) -> Value {
    if kept.count == 0 || kept.age.is_zero() {
        return Value::Bool(true);
    }
    let mut bounds = Map::new();
    if kept.count < u32::MAX {
        bounds.insert("count".to_owned(), json!(kept.count));
    }
    if kept.age < Duration::MAX {
        let seconds = kept.age.as_millis().div_ceil(1_000);
        bounds.insert(
            "age".to_owned(),
            json!(u64::try_from(seconds).unwrap_or(u64::MAX)),
        );
    }
    if bounds.is_empty() {
        return Value::Bool(false);
    }
    Value::Object(bounds)
}

fn written_deduplication(deduplication: &Deduplication) -> Value {
    let mut value = json!({ "id": deduplication.id });
    if let Some(ttl) = deduplication.ttl {
        value["ttl"] = json!(whole_millis(ttl));
    }
    for (name, set) in [
        ("extend", deduplication.extend),
        ("replace", deduplication.replace),
        ("keepLastIfActive", deduplication.keep_last_if_active),
    ] {
        if set {
            value[name] = json!(true);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: impl FnOnce(&mut StoredOptions)) {
        let mut wanted = StoredOptions::read("{}");
        expected(&mut wanted);
        assert_eq!(StoredOptions::read(text), wanted, "{text}");
    }

    #[test]
    fn options_of_other_programs_are_read_leniently() {
        let second = Duration::from_secs(1);
        check("not JSON", |_| {});
        check(r#"{"attempts":0,"unknown":{"x":1}}"#, |_| {});
        check(r#"{"attempts":3.0}"#, |o| o.max_attempts = 3);
        check(r#"{"attempts":"many","lifo":true}"#, |o| {
            o.lifo = true;
        });
        check(r#"{"backoff":1000}"#, |o| {
            o.backoff = Some(Backoff::fixed(second));
        });
        check(
            r#"{"backoff":{"type":"exponential","delay":1e3,"jitter":0.5}}"#,
            |o| {
                o.backoff = Some(Backoff::exponential(second).with_jitter(0.5));
            },
        );
        check(r#"{"backoff":{"type":"mine","delay":1000}}"#, |o| {
            o.backoff = Some(Backoff::fixed(second));
        });
        check(r#"{"backoff":{}}"#, |_| {});
        check(r#"{"removeOnComplete":true,"removeOnFail":false}"#, |o| {
            o.keep_completed = Some(Retention::NONE);
            o.keep_failed = Some(Retention {
                count: u32::MAX,
                age: Duration::MAX,
            });
        });
        check(
            r#"{"removeOnComplete":5,"removeOnFail":{"age":60,"limit":9}}"#,
            |o| {
                o.keep_completed = Some(Retention {
                    count: 5,
                    age: Duration::MAX,
                });
                o.keep_failed = Some(Retention {
                    count: u32::MAX,
                    age: Duration::from_mins(1),
                });
            },
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let kept = Retention {
            count: 2,
            age: Duration::from_hours(1),
        };
        let options = JobOptions::new()
            .attempts(4)
            .backoff(Backoff::exponential(Duration::from_secs(2)).with_jitter(0.25))
            .keep_completed(kept)
            .keep_failed(Retention::NONE)
            .timeout(Duration::from_secs(9))
            .keep_logs(7)
            .lifo();
        assert_eq!(
            StoredOptions::read(&write(&options)),
            StoredOptions {
                max_attempts: 4,
                backoff: options.backoff,
                keep_completed: Some(kept),
                keep_failed: Some(Retention::NONE),
                keep_logs: Some(7),
                traces: TRACES,
                timeout: Some(Duration::from_secs(9)),
                lifo: true,
            }
        );
    }
}
