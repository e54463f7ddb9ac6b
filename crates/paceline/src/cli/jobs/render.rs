//! What the commands print.

use std::fmt::Write as _;

use paceline_jobs::{
    AttemptRecord, Children, JobRef, JobSnapshot, QueueInfo, QueueSettings, Schedule,
    SchedulerInfo, StartLimit, State, Timestamp,
};
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
pub(super) fn job(job: &JobSnapshot, children: Option<&Children>, logs: &[String]) -> String {
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
    for (name, value) in [
        ("group", job.group.as_ref().map(ToString::to_string)),
        ("parent", job.parent.as_ref().map(reference)),
        ("scheduler", job.scheduler.as_ref().map(ToString::to_string)),
        ("dedup", job.deduplication.clone()),
    ] {
        if let Some(value) = value {
            line(name, &value);
        }
    }
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
    for child in children.map(family).unwrap_or_default() {
        line("child", &child);
    }
    for entry in logs {
        line("log", entry);
    }
    text
}

/// The children of a job, a line each.
fn family(children: &Children) -> Vec<String> {
    let pending = children.pending.iter();
    let mut lines: Vec<String> = pending
        .map(|child| format!("{} pending", reference(child)))
        .collect();
    for (child, result) in &children.completed {
        lines.push(format!(
            "{} completed: {}",
            reference(child),
            first_line(result.get())
        ));
    }
    for (child, why) in &children.ignored {
        lines.push(format!(
            "{} failed, ignored: {}",
            reference(child),
            first_line(why)
        ));
    }
    let failed = children.failed.iter();
    lines.extend(failed.map(|child| format!("{} failed", reference(child))));
    lines
}

fn reference(job: &JobRef) -> String {
    format!("{}/{}", job.queue, job.id)
}

/// The bounds of a queue.
pub(super) fn settings(queue: &str, settings: &QueueSettings) -> String {
    let jobs = |bound: Option<std::num::NonZeroU32>| {
        bound.map_or("none".to_owned(), |jobs| jobs.to_string())
    };
    let rate = |bound: Option<StartLimit>| {
        bound.map_or("none".to_owned(), |StartLimit { max, per }| {
            format!("{max} in {per:?}")
        })
    };
    format!(
        "{queue}\nconcurrency        {}\nrate               {}\ngroup concurrency  {}\ngroup rate         {}\n",
        jobs(settings.concurrency),
        rate(settings.rate),
        jobs(settings.group_concurrency),
        rate(settings.group_rate)
    )
}

/// Schedulers, a line each.
pub(super) fn schedulers(schedulers: &[SchedulerInfo]) -> String {
    if schedulers.is_empty() {
        return "There are no schedulers.\n".to_owned();
    }
    let header = ["id", "name", "schedule", "next", "made"].map(str::to_owned);
    let rows = schedulers.iter().map(|scheduler| {
        vec![
            scheduler.id.to_string(),
            scheduler.name.clone(),
            schedule(&scheduler.schedule),
            scheduler.next.map_or("never".to_owned(), time),
            match scheduler.limit {
                Some(limit) => format!("{} of {limit}", scheduler.made),
                None => scheduler.made.to_string(),
            },
        ]
    });
    table(
        &std::iter::once(header.to_vec())
            .chain(rows)
            .collect::<Vec<_>>(),
    )
}

fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Cron { pattern, zone } => format!("{pattern} ({zone})"),
        Schedule::Every { every, offset } => match offset {
            Some(offset) => format!("every {every:?} + {offset:?}"),
            None => format!("every {every:?}"),
        },
        _ => "of a kind this program does not know".to_owned(),
    }
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

/// A point in time (RFC 3339).
pub(super) fn time(at: Timestamp) -> String {
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
