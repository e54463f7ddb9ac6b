//! What a pool costs: take a connection, ask a trivial question, give it back; beside clients with a connection each,
//! and beside other pools.
//!
//! Each contender is a process of its own, on the same `PostgreSQL`.

mod ours;

use std::process::Command;

use paceline_test_servers::Postgres;

use crate::options::Options;
use crate::results::Results;
use crate::{Outcome, places};

/// Clients, and connections of a pool.
const LOADS: [(&str, &str); 3] = [("1", "1"), ("32", "32"), ("32", "8")];

/// Who is measured, and its name.
const CONTENDERS: [(&str, &str); 5] = [
    ("bare", "a connection each"),
    ("paceline", "Paceline"),
    ("deadpool", "deadpool-postgres, unchecked"),
    ("deadpool-verified", "deadpool-postgres, checked"),
    ("bb8", "bb8, checked (its default)"),
];

/// Measures all of it, in turns.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    if !options.wants("pool") {
        return Ok(());
    }
    let cluster = Postgres::start();
    let url = cluster.url("postgres");
    let seconds = options.seconds.to_string();
    for _ in 0..options.runs {
        for (clients, size) in LOADS {
            for (what, name) in CONTENDERS {
                // A connection each is what it is whatever the size.
                if what == "bare" && clients != size {
                    continue;
                }
                let rate = rate(what, &[&url, clients, size, &seconds])?;
                let name = format!("pool, {clients} clients on {size}, {name}, questions/s");
                results.figure(&name, rate);
            }
        }
    }
    Ok(())
}

/// Runs one contender; it prints its rate.
fn rate(what: &str, arguments: &[&str]) -> Outcome<f64> {
    let mut command = match what {
        "bare" | "paceline" => {
            let program = std::env::current_exe().map_err(|error| error.to_string())?;
            let mut command = Command::new(program);
            command.arg("pool");
            command
        }
        _ => Command::new(places::peer("pools")),
    };
    let output = command
        .arg(what)
        .args(arguments)
        .output()
        .map_err(|error| format!("{what} could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| {
        let problem = String::from_utf8_lossy(&output.stderr);
        format!("{what} said {text:?} {problem}")
    })
}

/// Is the process: `bare|paceline URL CLIENTS SIZE SECONDS`.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [what, url, clients, size, seconds] = words.as_slice() else {
        return Err("pool needs WHAT URL CLIENTS SIZE SECONDS".to_owned());
    };
    ours::run(what, url, number(clients)?, number(size)?, number(seconds)?)
}

fn number(text: &str) -> Outcome<u32> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
