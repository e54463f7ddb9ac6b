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
        one(
            "Paceline",
            &ours_on_export(data)?,
            "/api/export/people",
            results,
        )?;
        one("Express", &express(data, None)?, "/api/export", results)?;
    }
    Ok(())
}

fn one(name: &str, server: &Server, path: &str, results: &mut Results) -> Outcome<()> {
    let answer = drain(server.address, path).map_err(|error| format!("{name} {path}: {error}"))?;
    if answer.status != 200 {
        return Err(format!("{name} {path} answered {}", answer.status));
    }
    results.figure(
        &format!("export, first byte, {name}, ms"),
        answer.first_byte.as_secs_f64() * 1e3,
    );
    results.figure(
        &format!("export, in all, {name}, s"),
        answer.total.as_secs_f64(),
    );
    results.figure(
        &format!("export, size, {name}, MiB"),
        mebibytes(answer.length),
    );
    results.figure(
        &format!("export, peak memory, {name}, MiB"),
        mebibytes(server.peak_resident()),
    );
    Ok(())
}
