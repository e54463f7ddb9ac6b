//! Where we differ on purpose, each with the reason. What is not here must be equal.

/// One fact that is not the same on both sides.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) scenario: &'a str,
    pub(super) key: &'a str,
    pub(super) part: &'a str,
    pub(super) theirs: Option<&'a str>,
    pub(super) ours: Option<&'a str>,
}

/// A kind of difference that is meant.
pub(super) struct Allowance {
    pub(super) name: &'static str,
    /// Why; printed beside the differences that are not allowed.
    pub(super) reason: &'static str,
    pub(super) covers: fn(&Difference<'_>) -> bool,
}

/// All of them. One that covers nothing in any scenario fails the test.
pub(super) const ALLOWANCES: &[Allowance] = &[
    Allowance {
        name: "who wrote it",
        reason: "`meta.version` names the library; both names begin with `bullmq`, by which Bull Board goes",
        covers: |it| {
            it.key.ends_with(":meta")
                && it.part == "version"
                && it.ours.is_some_and(|ours| ours.starts_with("bullmq"))
        },
    },
    Allowance {
        name: "keys of our own",
        reason: "what has no place in BullMQ's layout lies in keys and fields that begin with `pl`, which BullMQ never reads",
        covers: |it| {
            let own_key = it.key.split(':').skip(2).any(|part| part.starts_with("pl"));
            it.theirs.is_none() && (own_key || it.part.starts_with("pl"))
        },
    },
    Allowance {
        name: "words of a stack trace",
        reason: "a Rust error has no JavaScript stack; the number of entries is the same",
        covers: |it| it.part == "stacktrace" && entries(it.theirs) == entries(it.ours),
    },
    Allowance {
        name: "a word of our own in an event",
        reason: "a field `pl` says why a job is back where it was; BullMQ hands it on and looks at the others",
        covers: |it| {
            let said = it.ours.and_then(|ours| without(ours, "pl"));
            it.key.ends_with(":events") && said.is_some() && said.as_deref() == it.theirs
        },
    },
    Allowance {
        name: "the parent in the options",
        reason: "BullMQ stores a child's parent a second time in `opts.parent` and reads it from `parent` and `parentKey`",
        covers: |it| {
            let other = it.theirs.and_then(|theirs| without(theirs, "parent"));
            it.part == "opts" && other.is_some() && other.as_deref() == it.ours
        },
    },
    Allowance {
        name: "the slot in the options",
        reason: "every job of a scheduler has its slot in `opts.prevMillis`, with BullMQ all but the first one",
        covers: |it| {
            let other = it.ours.and_then(|ours| without(ours, "prevMillis"));
            it.part == "opts" && other.is_some() && other.as_deref() == it.theirs
        },
    },
    Allowance {
        name: "a scheduler takes its job with it",
        reason: "with a scheduler goes its job that has not started; BullMQ lets it run when it is due already",
        covers: |it| {
            let line = match it.scenario {
                "schedule-removed" => "wait",
                "schedule-removed-priority" => "prioritized",
                _ => return false,
            };
            let job = it.key.contains(":repeat:s:") || it.key.ends_with(&format!(":{line}"));
            // The event tells the line it was in, as one of BullMQ's would.
            let event = |told: &str| {
                let told: serde_json::Value = serde_json::from_str(told).unwrap_or_default();
                told["event"] == "removed" && told["prev"] == line
            };
            match (it.theirs, it.ours) {
                (Some(_), None) => job,
                (None, Some(ours)) => it.key.ends_with(":events") && event(ours),
                _ => false,
            }
        },
    },
    Allowance {
        name: "a retry by hand starts over",
        reason: "all attempts are there again: BullMQ does so on request (`resetAttemptsMade`), and else lets the job fail at once",
        covers: |it| {
            let retried = ["fail", "retry-all", "flow-child-retried"].contains(&it.scenario);
            retried && (it.part == "atm" || it.part == "stc")
        },
    },
    Allowance {
        name: "many are changed as one is",
        reason: "BullMQ's bulk retry and bulk promotion put jobs with a priority into `wait` and leave `delay` as it was; ours do to each what the change of a single one does",
        covers: |it| {
            let lists = [":wait", ":prioritized", ":pc"]
                .iter()
                .any(|list| it.key.ends_with(list));
            ["retry-all", "promote-all"].contains(&it.scenario) && (lists || it.part == "delay")
        },
    },
    Allowance {
        name: "a lost lease is told and keeps the priority",
        reason: "the job says why it is back (`failedReason`), and one with a priority goes to `prioritized`, where BullMQ puts it before all others",
        covers: |it| {
            let lists = [":wait", ":prioritized"]
                .iter()
                .any(|list| it.key.ends_with(list));
            it.scenario.starts_with("stalled") && (lists || it.part == "failedReason")
        },
    },
    Allowance {
        name: "a parent fails with its child",
        reason: "BullMQ has a worker take the parent to fail it, with the words `child KEY failed`, and counts an attempt; ours fails at once, says why, and counts none",
        covers: |it| {
            let on_the_way = [":events", ":marker"]
                .iter()
                .any(|part| it.key.ends_with(part));
            let attempt = ["ats", "atm", "processedOn", "stc", "stacktrace"].contains(&it.part);
            let child = |told: Option<&str>| told.is_some_and(|told| told.contains("child"));
            let words = it.part == "failedReason" && child(it.theirs) && child(it.ours);
            ["flow-fail-parent", "flow-nested"].contains(&it.scenario)
                && (on_the_way || attempt || words)
        },
    },
    Allowance {
        name: "every dropped add is told",
        reason: "BullMQ tells nothing when an add that may replace a delayed job is dropped because the job is not delayed any more",
        covers: |it| {
            let told = it
                .ours
                .is_some_and(|ours| ours.contains("\"deduplicated\""));
            it.scenario == "dedup-replace"
                && it.key.ends_with(":events")
                && it.theirs.is_none()
                && told
        },
    },
    Allowance {
        name: "suspects are not written down",
        reason: "a job that is active without a lock has lost it: ours is taken back at the first look, BullMQ notes it in `stalled` and takes it back at the next",
        covers: |it| it.key.ends_with(":stalled") || it.key.ends_with(":stalled-check"),
    },
    Allowance {
        name: "numbers that nothing is called by",
        reason: "our ids are random; the counter of BullMQ's ids rises with each add all the same, but not when a kept add becomes a job under the id it has",
        covers: |it| it.scenario == "dedup-last" && it.key.ends_with(":id"),
    },
];

/// A JSON object without one of its fields; nothing when it has none of that name.
fn without(text: &str, field: &str) -> Option<String> {
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    object.remove(field)?;
    Some(serde_json::Value::Object(object).to_string())
}

fn entries(stacktrace: Option<&str>) -> Option<usize> {
    let entries: Vec<String> = serde_json::from_str(stacktrace?).ok()?;
    Some(entries.len())
}
