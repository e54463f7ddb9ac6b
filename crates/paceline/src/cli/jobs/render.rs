//! What the commands print.

use std::fmt::Write as _;

use paceline_jobs::{AttemptRecord, JobSnapshot, QueueInfo, State, Timestamp};
use serde::Serialize;

/// A value as indented JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("snapshots have a JSON form");
    text + "\n"
}

/// Queues with the number of their jobs in each state.
pub(super) fn queues(queues: &[QueueInfo]) -> String {
    if queues.is_empty() {
        return "There are no queues.\n".to_owned();
    }
    let mut header = vec!["queue".to_owned()];
    header.extend(State::ALL.iter().map(ToString::to_string));
    let rows = queues.iter().map(|queue| {
        let mut row = vec![queue.name.to_string()];
        row.extend(
            State::ALL
                .iter()
                .map(|state| queue.counts.of(*state).to_string()),
        );
        if queue.paused {
            row[0].push_str(" (paused)");
        }
        row
    });
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

/// Jobs, a line each.
pub(super) fn jobs(jobs: &[JobSnapshot]) -> String {
    if jobs.is_empty() {
        return "There are no such jobs.\n".to_owned();
    }
    let header = ["id", "name", "state", "attempts", "added", "last error"]
        .map(str::to_owned)
        .to_vec();
    let rows = jobs.iter().map(|job| {
        vec![
            job.id.to_string(),
            job.name.clone(),
            job.state.to_string(),
            format!("{}/{}", job.attempts_made, job.max_attempts),
            time(job.created_at),
            first_line(job.failed_reason.as_deref().unwrap_or_default()),
        ]
    });
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

/// Everything known of one job.
pub(super) fn job(job: &JobSnapshot) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name:<9} {value}").expect("a string takes everything");
    };
    line("id", job.id.as_str());
    line("queue", job.queue.as_str());
    line("name", &job.name);
    line("state", job.state.as_str());
    line(
        "attempts",
        &format!("{} of {}", job.attempts_made, job.max_attempts),
    );
    line("priority", &job.priority.to_string());
    line("added", &time(job.created_at));
    for (name, at) in [
        ("due", job.due_at),
        ("started", job.started_at),
        ("finished", job.finished_at),
    ] {
        if let Some(at) = at {
            line(name, &time(at));
        }
    }
    for (name, value) in [("progress", &job.progress), ("result", &job.result)] {
        if let Some(value) = value {
            line(name, value.get());
        }
    }
    if let Some(reason) = &job.failed_reason {
        line("error", reason);
    }
    line("payload", job.data.get());
    for record in &job.attempts {
        line("attempt", &attempt(record));
    }
    text
}

fn attempt(record: &AttemptRecord) -> String {
    let outcome = serde_json::to_value(record.outcome).expect("an outcome is a word");
    let mut text = format!(
        "{} {} {}",
        record.start,
        time(record.started_at),
        outcome.as_str().unwrap_or_default()
    );
    if let Some(ended) = record.ended_at {
        let took = ended.saturating_since(record.started_at);
        write!(text, " after {} ms", took.as_millis()).expect("a string takes everything");
    }
    if let Some(error) = &record.error {
        write!(text, ": {}", first_line(error)).expect("a string takes everything");
    }
    text
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(80)
        .collect()
}

fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Columns as wide as their widest cell; the last one is not padded.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_its_columns_up() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = table(&[row(["id", "name"]), row(["grüße", "x"])]);
        assert_eq!(text, "id     name\ngrüße  x\n");
    }

    #[test]
    fn long_errors_are_cut_to_a_line() {
        assert_eq!(first_line("one\ntwo"), "one");
        assert_eq!(first_line(&"é".repeat(200)).chars().count(), 80);
    }
}
