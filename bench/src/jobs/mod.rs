//! Jobs: what is added and worked off in a second, how soon an idle worker begins, what many waiting jobs cost.

mod contender;
mod crosswise;
pub(crate) mod ours;

use serde_json::Value;

use crate::Outcome;
use crate::options::Options;
use crate::results::{Results, Speed};
use crate::startup::mebibytes;
use contender::{Contender, OURS, PEERS};

/// No contender works longer than this at once.
const SECONDS: u64 = 5;

/// One row of rates.
struct Row {
    name: &'static str,
    mode: &'static str,
    concurrency: u32,
}

/// Processing is measured at several concurrencies, and compared where each contender is at its best.
const ROWS: [Row; 6] = [
    Row {
        name: "jobs-add",
        mode: "add",
        concurrency: 32,
    },
    Row {
        name: "jobs-add-bulk",
        mode: "add-bulk",
        concurrency: 1,
    },
    Row {
        name: "jobs-process-8",
        mode: "process",
        concurrency: 8,
    },
    Row {
        name: "jobs-process-32",
        mode: "process",
        concurrency: 32,
    },
    Row {
        name: "jobs-process-256",
        mode: "process",
        concurrency: 256,
    },
    Row {
        name: "jobs-process-1024",
        mode: "process",
        concurrency: 1024,
    },
];

/// Measures the rows that were asked for.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    let contenders = contenders(options);
    for row in ROWS.iter().filter(|row| wants(options, row.name)) {
        for _ in 0..options.runs {
            for contender in &contenders {
                rate(row, contender, options, results)?;
            }
        }
    }
    if wants(options, "jobs-pick-up") {
        for _ in 0..options.runs {
            for contender in &contenders {
                pick_up("pick-up", contender.name, contender, options, results)?;
            }
            pick_up("pick-up-across", ACROSS, &OURS[0], options, results)?;
        }
    }
    if wants(options, "jobs-crosswise") {
        crosswise::check(&contenders, results)?;
    }
    for ours in &OURS {
        if wants(options, "jobs-depth") {
            depth(ours, options, results)?;
        }
        if wants(options, "jobs-memory") {
            memory(ours, options, results)?;
        }
    }
    Ok(())
}

/// All that are there; those that are not are named.
fn contenders(options: &Options) -> Vec<&'static Contender> {
    let (built, missing): (Vec<&Contender>, Vec<&Contender>) =
        OURS.iter().chain(&PEERS).partition(|it| it.is_built());
    let asked = ROWS.iter().any(|row| wants(options, row.name)) || wants(options, "jobs-pick-up");
    for contender in missing.iter().filter(|_| asked) {
        println!("not built, and left out: {}", contender.name);
    }
    built
}

/// The embedded engine with producer and worker as two processes have it.
const ACROSS: &str = "Paceline, SQLite, two processes";

fn wants(options: &Options, row: &str) -> bool {
    options.wants(row) || options.wants("jobs")
}

fn rate(row: &Row, contender: &Contender, options: &Options, results: &mut Results) -> Outcome<()> {
    let jobs = options.jobs / contender.share;
    let line = contender.run(row.mode, jobs, SECONDS, row.concurrency)?;
    let (jobs, seconds) = (number(&line, "jobs")?, number(&line, "seconds")?);
    let speed = Speed {
        rate: jobs / seconds,
        durability: contender.durability.to_owned(),
    };
    results.speed(row.name, contender.name, speed);
    Ok(())
}

fn pick_up(
    mode: &str,
    name: &str,
    contender: &Contender,
    options: &Options,
    results: &mut Results,
) -> Outcome<()> {
    let line = contender.run(mode, options.samples(), SECONDS, 1)?;
    let waits = line["waits_ms"].as_array().into_iter().flatten();
    let mut waits: Vec<f64> = waits.filter_map(Value::as_f64).collect();
    waits.sort_by(f64::total_cmp);
    for (part, of_hundred) in [("p50", 50), ("p99", 99)] {
        let at = (waits.len() * of_hundred / 100).min(waits.len().saturating_sub(1));
        let wait = waits
            .get(at)
            .ok_or_else(|| format!("{name} was measured 0 times"))?;
        results.figure(&format!("jobs, pick-up {part}, {name}, ms"), *wait);
    }
    Ok(())
}

fn depth(ours: &Contender, options: &Options, results: &mut Results) -> Outcome<()> {
    for (waiting, words) in [(1_000, "1,000"), (options.deep, "many")] {
        let line = ours.run("depth", waiting, SECONDS, 1)?;
        for what in ["add", "claim"] {
            let name = format!("jobs, {what} with {words} waiting, {}, /s", ours.name);
            results.figure(&name, number(&line, what)?);
        }
    }
    results.figure("jobs, how many are many", f64::from(options.deep));
    Ok(())
}

fn memory(ours: &Contender, options: &Options, results: &mut Results) -> Outcome<()> {
    let line = ours.run("idle", 1, SECONDS, 32)?;
    let name = format!("jobs, idle worker, {}, MiB", ours.name);
    results.figure(&name, mebibytes(whole(&line, "resident")?));
    let line = ours.run("endurance", options.deep, 600, 32)?;
    for (when, words) in [("start", "after a tenth"), ("end", "at the end")] {
        let name = format!("jobs, memory over many jobs, {words}, {}, MiB", ours.name);
        results.figure(&name, mebibytes(whole(&line, when)?));
    }
    Ok(())
}

fn number(line: &Value, field: &str) -> Outcome<f64> {
    line[field]
        .as_f64()
        .ok_or_else(|| format!("no {field} in {line}"))
}

fn whole(line: &Value, field: &str) -> Outcome<u64> {
    line[field]
        .as_u64()
        .ok_or_else(|| format!("no {field} in {line}"))
}
