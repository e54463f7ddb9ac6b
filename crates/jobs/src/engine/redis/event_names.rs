//! BullMQ's events as ours. Our scripts add a field `pl` where BullMQ's words do not say enough.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::events::{JobEvent, JobEventKind};
use crate::names::{JobId, QueueName};

/// What an entry of a queue's stream tells; nothing when we have no event for it.
pub(super) fn job_event(
    queue: &QueueName,
    at: Timestamp,
    mut fields: HashMap<String, String>,
) -> Option<JobEvent> {
    let event = kind(&fields)?;
    let id = fields.get("jobId").map(JobId::lookup);
    let mut told = JobEvent::new(queue.clone(), id, event, at);
    if event == JobEventKind::Progress {
        told.progress = fields
            .remove("data")
            .and_then(|data| RawValue::from_string(data).ok());
    }
    told.error = fields.remove("failedReason");
    Some(told)
}

fn kind(fields: &HashMap<String, String>) -> Option<JobEventKind> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    Some(match field("event")? {
        "added" => JobEventKind::Added,
        "active" => JobEventKind::Active,
        "progress" => JobEventKind::Progress,
        "completed" => JobEventKind::Completed,
        "failed" => JobEventKind::Failed,
        "stalled" => JobEventKind::Stalled,
        "removed" => JobEventKind::Removed,
        "deduplicated" => JobEventKind::Deduplicated,
        "paused" => JobEventKind::Paused,
        "resumed" => JobEventKind::Resumed,
        "waiting-children" if field("prev").is_some() => JobEventKind::WaitingChildren,
        "delayed" | "waiting" => match (field("prev"), field("pl")) {
            (_, Some("postponed")) => JobEventKind::Postponed,
            (_, Some("handed_back")) => JobEventKind::HandedBack,
            (_, Some("failed")) | (Some("active"), None) => JobEventKind::Retrying,
            (Some(_), None) => JobEventKind::Waiting,
            // Told by `stalled`, which follows, or by `added`.
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[(&str, &str)], expected: Option<JobEventKind>) {
        let named = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let queue = QueueName::new("q").unwrap();
        let event = job_event(&queue, Timestamp::from_millis(1), named);
        assert_eq!(event.map(|event| event.event), expected, "{fields:?}");
    }

    #[test]
    fn events_of_both_programs_are_understood() {
        let event = |name| ("event", name);
        check(&[event("added"), ("jobId", "1")], Some(JobEventKind::Added));
        check(&[event("waiting"), ("jobId", "1")], None);
        check(&[event("delayed"), ("jobId", "1"), ("delay", "5")], None);
        check(
            &[event("waiting"), ("prev", "delayed")],
            Some(JobEventKind::Waiting),
        );
        check(
            &[event("waiting"), ("prev", "active")],
            Some(JobEventKind::Retrying),
        );
        check(
            &[event("waiting"), ("prev", "active"), ("pl", "handed_back")],
            Some(JobEventKind::HandedBack),
        );
        check(
            &[event("delayed"), ("pl", "postponed")],
            Some(JobEventKind::Postponed),
        );
        check(&[event("cleaned"), ("count", "3")], None);
        check(&[("jobId", "1")], None);
    }
}
