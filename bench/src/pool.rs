//! What a pool costs: take a connection, ask a trivial question, give it back; beside clients with a connection each,
//! and beside other pools.
//!
//! All of them are in one process (`bench/peers/pools`) and take turns of a tenth of a second, so that what the machine
//! does besides falls on all of them alike.

use std::process::Command;

use paceline_test_servers::Postgres;

use crate::options::Options;
use crate::results::Results;
use crate::{Outcome, places};

/// Clients, and connections of a pool.
pub(crate) const LOADS: [(u32, u32); 3] = [(1, 1), (32, 32), (32, 8)];

/// What one contender reached under one load.
#[derive(Debug, PartialEq)]
struct Line<'a> {
    name: &'a str,
    rate: f64,
    /// Our rate over its rate, turn by turn.
    ratio: f64,
}

/// Measures all of it.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    if !options.wants("pool") {
        return Ok(());
    }
    // Each contender keeps its connections while the others have their turns.
    let cluster = Postgres::start_with(&[("max_connections", "250")]);
    let url = cluster.url("postgres");
    for _ in 0..options.runs {
        for load in LOADS {
            let told = run(&url, load, options.seconds)?;
            for line in lines(&told)? {
                results.figure(&rate_of(load, line.name), line.rate);
                if line.name != OURS {
                    results.figure(&ratio_to(load, line.name), line.ratio);
                }
            }
        }
    }
    Ok(())
}

/// Our own name among them.
pub(crate) const OURS: &str = "Paceline";

/// The figure of a contender's questions a second.
pub(crate) fn rate_of((clients, size): (u32, u32), name: &str) -> String {
    format!("pool, {clients} clients on {size}, {name}, questions/s")
}

/// The figure of our rate over a contender's.
pub(crate) fn ratio_to((clients, size): (u32, u32), name: &str) -> String {
    format!("pool, {clients} clients on {size}, {OURS} / {name}, turn by turn")
}

fn run(url: &str, (clients, size): (u32, u32), seconds: u64) -> Outcome<String> {
    let output = Command::new(places::peer("pools"))
        .arg(url)
        .args([clients.to_string(), size.to_string(), seconds.to_string()])
        .output()
        .map_err(|error| format!("pools could not be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(format!("pools, {clients} clients on {size}: {problem}"))
}

fn lines(told: &str) -> Outcome<Vec<Line<'_>>> {
    let line = |line| -> Option<Line<'_>> {
        let mut parts = str::split(line, '\t');
        Some(Line {
            name: parts.next()?,
            rate: parts.next()?.parse().ok()?,
            ratio: parts.next()?.parse().ok()?,
        })
    };
    let lines: Option<Vec<_>> = told.lines().map(line).collect();
    lines
        .filter(|lines| !lines.is_empty())
        .ok_or_else(|| format!("pools said {told:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_peer_says_is_read() {
        let expected = Line {
            name: "bb8, checked (its default)",
            rate: 10_000.5,
            ratio: 1.9,
        };
        assert_eq!(
            lines("bb8, checked (its default)\t10000.5\t1.9\n"),
            Ok(vec![expected])
        );
        for wrong in ["", "bb8\t1\n", "bb8\tx\t1\n"] {
            assert!(lines(wrong).is_err(), "{wrong:?}");
        }
    }
}
