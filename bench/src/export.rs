//! A table of many rows as one JSON array: time to the first byte, time in all, memory at its highest.

use crate::Outcome;
use crate::contender::{Data, express, ours_on_export};
use crate::http::drain;
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;
use crate::startup::mebibytes;

/// Measures each contender once a run, in turns, each time in a fresh process.
pub(crate) fn measure(data: &Data, options: &Options, results: &mut Results) -> Outcome<()> {
    for _ in 0..options.runs {
        let ours = ours_on_export(data)?;
        one("export", "Paceline", &ours, "/api/export/people", results)?;
        let express = express(data, None)?;
        one("export", "Express", &express, "/api/export", results)?;
    }
    Ok(())
}

/// Lets a server export; its figures have names that begin with `group`.
pub(crate) fn one(
    group: &str,
    name: &str,
    server: &Server,
    path: &str,
    results: &mut Results,
) -> Outcome<()> {
    let answer = drain(server.address, path).map_err(|error| format!("{name} {path}: {error}"))?;
    if answer.status != 200 {
        return Err(format!("{name} {path} answered {}", answer.status));
    }
    for (part, unit, value) in [
        ("first byte", "ms", answer.first_byte.as_secs_f64() * 1e3),
        ("in all", "s", answer.total.as_secs_f64()),
        ("size", "MiB", mebibytes(answer.length)),
        ("peak memory", "MiB", mebibytes(server.peak_resident())),
    ] {
        results.figure(&format!("{group}, {part}, {name}, {unit}"), value);
    }
    Ok(())
}
