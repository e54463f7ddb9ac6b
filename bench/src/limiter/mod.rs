//! How many decisions a limiter makes a second: in memory on one key and on a million, under a flood of ten
//! million, and on Redis beside a script that does nothing.
//!
//! Started as a process of its own for each measurement, so that the memory of one is not the next one's.

mod memory;
mod redis;

use std::process::Command;

use crate::Outcome;
use crate::options::Options;
use crate::results::Results;

/// What is measured: the arguments of the process, and what its figures are called.
const MEMORY: [(&str, &str, &str); 6] = [
    ("fixed-window", "1", "fixed window, one key"),
    ("fixed-window", "1000000", "fixed window, 1 M keys"),
    ("sliding-window", "1", "sliding window, one key"),
    ("sliding-window", "1000000", "sliding window, 1 M keys"),
    ("gcra", "1", "GCRA, one key"),
    ("gcra", "1000000", "GCRA, 1 M keys"),
];

/// Measures all of it.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    let seconds = options.seconds.to_string();
    for _ in 0..options.runs {
        for (algorithm, keys, what) in MEMORY {
            for threads in ["1", "2"] {
                let arguments = ["decide", algorithm, keys, threads, &seconds];
                let [rate] = numbers(&arguments)?;
                let name = format!("limiter, {what}, threads {threads}, decisions/s a thread");
                results.figure(&name, rate);
            }
        }
        for (capacity, what) in [("1048576", "default room"), ("12000000", "room for all")] {
            let [rate, held, allocated, resident] = numbers(&["flood", "10000000", capacity])?;
            let name = |figure: &str| format!("limiter, 10 M keys, {what}, {figure}");
            results.figure(&name("decisions/s"), rate);
            results.figure(&name("counts held"), held);
            results.figure(&name("MiB of counts"), allocated / 1_048_576.0);
            results.figure(&name("MiB resident"), resident / 1_048_576.0);
        }
        redis::measure(&seconds, results)?;
    }
    Ok(())
}

/// Runs this program as the process that is measured; it prints its figures.
fn numbers<const COUNT: usize>(arguments: &[&str]) -> Outcome<[f64; COUNT]> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .arg("limiter")
        .args(arguments)
        .output()
        .map_err(|error| format!("the limiter could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    found.try_into().map_err(|_| {
        let problem = String::from_utf8_lossy(&output.stderr);
        format!("limiter {arguments:?} said {text:?} {problem}")
    })
}

/// Is the process: `decide ALGORITHM KEYS THREADS SECONDS`, `flood KEYS ROOM` or `redis URL WHAT TASKS
/// SECONDS`.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["decide", algorithm, keys, threads, seconds] => {
            memory::decide(algorithm, number(keys)?, number(threads)?, number(seconds)?)
        }
        ["flood", keys, room] => memory::flood(number(keys)?, number(room)?),
        ["redis", url, what, tasks, seconds] => {
            redis::ask(url, what, number(tasks)?, number(seconds)?)
        }
        _ => Err("limiter needs decide, flood or redis".to_owned()),
    }
}

fn number(text: &str) -> Outcome<u64> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
