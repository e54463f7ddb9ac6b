//! Where we differ on purpose, each with the reason. What is not here must be equal.

/// One fact that is not the same on both sides.
#[derive(Debug)]
pub(super) struct Difference<'a> {
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
        covers: |it| it.key.ends_with(":meta") && it.part == "version" && it.ours.is_some_and(|ours| ours.starts_with("bullmq")),
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
];

fn entries(stacktrace: Option<&str>) -> Option<usize> {
    let entries: Vec<String> = serde_json::from_str(stacktrace?).ok()?;
    Some(entries.len())
}
