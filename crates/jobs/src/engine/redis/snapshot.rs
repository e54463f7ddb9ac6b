//! A job's hash as a snapshot. Fields other programs wrote are read leniently.

use std::collections::HashMap;

use redis::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::job_options::StoredOptions;
use super::keys::Keys;
use super::read::due_millis;
use super::reply::{list, number, small, text};
use crate::clock::Timestamp;
use crate::names::{JobId, QueueName, SchedulerId};
use crate::snapshot::{AttemptOutcome, AttemptRecord, JobSnapshot};
use crate::state::State;

/// A job as it was read.
#[derive(Debug)]
pub(super) struct StoredJob<'a> {
    queue: &'a QueueName,
    id: JobId,
    state: State,
    fields: HashMap<String, String>,
    due_at: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
}

impl<'a> StoredJob<'a> {
    pub(super) fn new(queue: &'a QueueName, id: JobId, state: State, fields: Value) -> Self {
        let mut named = HashMap::new();
        let mut parts = list(fields).into_iter();
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            if let (Some(name), Some(value)) = (text(name), text(value)) {
                named.insert(name, value);
            }
        }
        Self {
            queue,
            id,
            state,
            fields: named,
            due_at: None,
            lease_until: None,
        }
    }

    pub(super) fn due_score(&mut self, score: Option<&str>) {
        self.due_at = score.and_then(due_millis).map(Timestamp::from_millis);
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name)
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.fields.get(name).and_then(|text| small(text))
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        let millis = self.fields.get(name).and_then(|text| number(text));
        millis.map(Timestamp::from_millis)
    }

    fn json(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.take(name)
            .and_then(|text| RawValue::from_string(text).ok())
    }

    pub(super) fn options(&self) -> StoredOptions {
        StoredOptions::read(self.fields.get("opts").map_or("", String::as_str))
    }

    pub(super) fn snapshot(mut self, keys: &Keys) -> JobSnapshot {
        let options = self.options();
        let data = self.take("data").unwrap_or_default();
        let mut snapshot = JobSnapshot {
            queue: self.queue.clone(),
            id: self.id.clone(),
            name: self.take("name").unwrap_or_default(),
            state: self.state,
            data: RawValue::from_string(data.clone()).unwrap_or_else(|_| as_json_text(&data)),
            priority: self.count("priority").unwrap_or(0),
            attempts_made: self
                .count("atm")
                .or_else(|| self.count("attemptsMade"))
                .unwrap_or(0),
            max_attempts: options.max_attempts,
            starts: self.count("ats").unwrap_or(0),
            stalls: self.count("stc").unwrap_or(0),
            progress: self.json("progress"),
            result: self.json("returnvalue"),
            failed_reason: self.take("failedReason"),
            created_at: self.time("timestamp").unwrap_or(Timestamp::from_millis(0)),
            due_at: self.due_at,
            started_at: self.time("processedOn"),
            finished_at: self.time("finishedOn"),
            lease_until: self.lease_until,
            group: None,
            parent: self.take("parentKey").and_then(|key| keys.job_ref(&key)),
            scheduler: self.take("rjk").map(SchedulerId::lookup),
            deduplication: self.take("deid"),
            attempts: Vec::new(),
        };
        snapshot.attempts = history(self.fields.get("plah").map_or("", String::as_str));
        snapshot.attempts.extend(current_attempt(&snapshot));
        snapshot
    }
}

/// Text that is no JSON, as a JSON string: what is stored must be seen.
fn as_json_text(data: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(data).expect("text has a JSON form")
}

/// An attempt as the scripts note it.
#[derive(Debug, Deserialize)]
struct Noted {
    start: u32,
    started_at: f64,
    ended_at: f64,
    outcome: String,
    error: Option<String>,
}

/// One line an attempt; lines nobody can read are left out.
fn history(lines: &str) -> Vec<AttemptRecord> {
    let noted = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Noted>(line).ok());
    noted
        .map(|noted| AttemptRecord {
            start: noted.start,
            started_at: at(noted.started_at),
            ended_at: Some(at(noted.ended_at)),
            outcome: match noted.outcome.as_str() {
                "failed" => AttemptOutcome::Failed,
                "handed_back" => AttemptOutcome::HandedBack,
                "postponed" => AttemptOutcome::Postponed,
                _ => AttemptOutcome::Stalled,
            },
            error: noted.error,
        })
        .collect()
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a float cast stops at the bounds of the type"
)]
const fn at(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as i64)
}

/// The attempt that runs, or the one that completed: told by the job itself.
fn current_attempt(job: &JobSnapshot) -> Option<AttemptRecord> {
    let outcome = match job.state {
        State::Active => AttemptOutcome::Running,
        State::Completed => AttemptOutcome::Completed,
        _ => return None,
    };
    Some(AttemptRecord {
        start: job.starts,
        started_at: job.started_at?,
        ended_at: job.finished_at,
        outcome,
        error: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(state: State, fields: &[(&str, &str)]) -> JobSnapshot {
        let queue = QueueName::new("q").unwrap();
        let flat = fields
            .iter()
            .flat_map(|(name, value)| [name, value])
            .map(|text| Value::BulkString(text.as_bytes().to_vec()))
            .collect();
        StoredJob::new(&queue, JobId::lookup("1"), state, Value::Array(flat))
            .snapshot(&Keys::new("bull"))
    }

    #[test]
    fn a_job_of_another_program_is_read_leniently() {
        let job = stored(
            State::Completed,
            &[
                ("name", "send"),
                ("data", "{\"n\":12345678901234567890}"),
                ("opts", "{\"attempts\":3,\"x\":{}}"),
                ("timestamp", "1795469963250.1"),
                ("attemptsMade", "2"),
                ("returnvalue", "null"),
                ("parentKey", "bull:orders:9"),
                ("stacktrace", "{}"),
            ],
        );
        assert_eq!(job.data.get(), "{\"n\":12345678901234567890}");
        assert_eq!((job.attempts_made, job.max_attempts), (2, 3));
        assert_eq!(job.created_at.as_millis(), 1_795_469_963_250);
        assert_eq!(job.parent.unwrap().queue.as_str(), "orders");
        assert_eq!(job.result.unwrap().get(), "null");
    }

    #[test]
    fn the_history_skips_what_it_cannot_read() {
        let lines = "{\"start\":1,\"started_at\":5,\"ended_at\":6,\"outcome\":\"failed\",\"error\":\"x\"}\nnonsense";
        let job = stored(State::Waiting, &[("plah", lines)]);
        assert_eq!(job.attempts.len(), 1);
        assert_eq!(job.attempts[0].outcome, AttemptOutcome::Failed);
    }
}
