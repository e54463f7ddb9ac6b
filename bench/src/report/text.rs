//! The report's words and tables.

use std::fmt::Write;

use super::about::{JOB_ROWS, ROWS};
use super::pools::pools;
use super::target::{Bound, targets};
use crate::results::Results;

/// The whole report. `notes` are written by hand and put in as they are.
pub(super) fn report(results: &Results, notes: &str) -> String {
    let mut text = String::from("# Measured beside its peers\n\n");
    text.push_str("Written by `cargo xtask bench`; ratios are of one run on one machine, absolute figures hold for that machine only.\n\n");
    machine(&mut text, results);
    table(&mut text, results);
    if !notes.is_empty() {
        let _ = write!(text, "## What the profile shows\n\n{}\n\n", notes.trim());
    }
    for (row, about) in ROWS {
        load(&mut text, results, row, about);
    }
    for (row, about) in JOB_ROWS {
        speed(&mut text, results, row, about);
    }
    stack(&mut text, results);
    pools(&mut text, results);
    figures(&mut text, results);
    text
}

fn machine(text: &mut String, results: &Results) {
    let machine = &results.machine;
    let _ = write!(
        text,
        "- machine: {} x {}, {} GiB, {}; load generator, servers and peers share it\n\
         - versions: {}\n\
         - commit: {}, {}\n\
         - load: wrk, one thread, closed loop, keep-alive, after a warm-up, runs in turns, medians; how long and how often stands with each row\n\
         - durability: our jobs `durability = \"full\"` (WAL, `synchronous = FULL`: fsync before the answer); Redis `save \"\"`, `appendonly no`\n\
         - limits: off for all, except where a row says so\n\
         - again: `cargo xtask bench`; this text alone: `cargo xtask bench --report-only`\n\n",
        machine.processors,
        machine.processor,
        machine.memory,
        machine.kernel,
        machine.versions.join(", "),
        machine.commit,
        machine.date,
    );
}

fn table(text: &mut String, results: &Results) {
    text.push_str("## Targets\n\n| ratio | target | measured | |\n|---|---|---|---|\n");
    for target in targets() {
        let bound = match target.bound {
            Bound::AtLeast(bound) => format!(">= {bound}"),
            Bound::AtMost(bound) => format!("<= {bound}"),
        };
        let (measured, verdict) = match target.ratio(results) {
            None => ("-".to_owned(), "not measured".to_owned()),
            Some(ratio) if target.is_reached(ratio) => (number(ratio), "reached".to_owned()),
            Some(ratio) => (
                number(ratio),
                format!("**missed by {:.0} %**", target.missed_by(ratio)),
            ),
        };
        let _ = writeln!(
            text,
            "| {} | {bound} | {measured} | {verdict} |",
            target.what
        );
    }
    text.push('\n');
    for target in targets() {
        let missed = target
            .ratio(results)
            .is_some_and(|ratio| !target.is_reached(ratio));
        if let Some(profile) = target.profile.filter(|_| missed) {
            let _ = writeln!(text, "Profile of a miss, {}: {profile}.\n", target.what);
        }
    }
}

fn load(text: &mut String, results: &Results, row: &str, about: &str) {
    let Some(contenders) = results.loads.get(row) else {
        return;
    };
    let length = results.lengths.get(row);
    let (seconds, runs) =
        length.map_or((results.seconds, results.runs), |it| (it.seconds, it.runs));
    let _ = write!(
        text,
        "## {row}\n\n{about} {seconds} s a contender and run, runs: {runs}.\n\n![{row}](plots/{row}.svg)\n\n"
    );
    text.push_str("| contender | answers/s | p50 ms | p99 ms | bytes an answer | failed |\n|---|---:|---:|---:|---:|---:|\n");
    for contender in contenders.keys() {
        let middle = |part: fn(&crate::load::Sample) -> f64| {
            number(results.middle(row, contender, part).unwrap_or(0.0))
        };
        let failed: u64 = contenders[contender]
            .iter()
            .map(|sample| sample.failed)
            .sum();
        let _ = writeln!(
            text,
            "| {contender} | {} | {} | {} | {} | {failed} |",
            middle(|sample| sample.rate),
            middle(|sample| sample.p50),
            middle(|sample| sample.p99),
            middle(|sample| sample.bytes),
        );
    }
    text.push('\n');
}

fn speed(text: &mut String, results: &Results, row: &str, about: &str) {
    let Some(contenders) = results.speeds.get(row) else {
        return;
    };
    let _ = write!(text, "## {row}\n\n{about}\n\n![{row}](plots/{row}.svg)\n\n");
    text.push_str("| contender | jobs/s | durability |\n|---|---:|---|\n");
    for (contender, speeds) in contenders {
        let rate = number(results.jobs(row, contender).unwrap_or(0.0));
        let durability = speeds.first().map_or("", |speed| &speed.durability);
        let _ = writeln!(text, "| {contender} | {rate} | {durability} |");
    }
    text.push('\n');
}

/// What each layer of the stack takes from the heap, for each request of the bench: one without headers of its own,
/// from a known address, answered with a text.
const ALLOCATIONS: [(&str, &str); 6] = [
    (
        "route",
        "axum's: the URI (1), the extensions and what is in them (5), the handler and its futures (3), the answer's \
         headers, length and body (4)",
    ),
    (
        "id",
        "the request's header map, whose first field it is (2); for every 16th id the text of 16 (2)",
    ),
    ("trace", "none"),
    ("limit", "the text of `RateLimit` (1)"),
    ("compression", "none"),
    (
        "conditional",
        "room for a fourth extension of the request (1) and for a seventh field of the answer (2)",
    ),
];

fn stack(text: &mut String, results: &Results) {
    let value = |name: &str, what: &str| {
        let key = match name {
            "route" => format!("layers, the route alone, {what}"),
            layer => format!("layers, {layer} added, {what}"),
        };
        results.value(&key)
    };
    if value("route", "allocations").is_none() {
        return;
    }
    text.push_str(
        "## The stack of layers\n\nWhat each layer adds to a request, the outermost first, and what it allocates for.\n\n\
         | layer | instructions | allocations | for what |\n|---|---:|---:|---|\n",
    );
    for (name, cause) in ALLOCATIONS {
        let figure = |what| value(name, what).map_or("-".to_owned(), number);
        let (instructions, allocations) = (figure("instructions"), figure("allocations"));
        let _ = writeln!(
            text,
            "| {name} | {instructions} | {allocations} | {cause} |"
        );
    }
    text.push('\n');
}

fn figures(text: &mut String, results: &Results) {
    text.push_str(
        "## Single figures\n\n| figure | median | lowest | highest |\n|---|---:|---:|---:|\n",
    );
    for (name, values) in &results.figures {
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(0.0, f64::max);
        let middle = results.value(name).unwrap_or(0.0);
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            number(middle),
            number(lowest),
            number(highest)
        );
    }
}

/// Three digits that mean something, thousands apart.
pub(super) fn number(value: f64) -> String {
    if value < 9.995 {
        return format!("{value:.2}");
    }
    if value < 99.95 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (value, expected) in [
            (0.5, "0.50"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
