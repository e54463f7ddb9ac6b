//! The rows that are loads: what each contender is asked, over how many connections.

mod mailing;
mod reading;

use crate::contender::Data;
use crate::load::{self, Request};
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;
use crate::{Outcome, http};

/// Who is asked what.
pub(crate) struct Entry<'a> {
    contender: &'static str,
    server: &'a Server,
    request: Request,
}

/// Who, where, what.
pub(crate) fn entry<'a>(
    contender: &'static str,
    server: &'a Server,
    request: Request,
) -> Entry<'a> {
    Entry {
        contender,
        server,
        request,
    }
}

/// One row.
pub(crate) struct Row<'a> {
    name: &'static str,
    connections: u32,
    entries: Vec<Entry<'a>>,
}

/// A row over 32 connections.
pub(crate) fn row<'a>(name: &'static str, entries: Vec<Entry<'a>>) -> Row<'a> {
    Row {
        name,
        connections: 32,
        entries,
    }
}

/// Measures the rows that were asked for.
pub(crate) fn measure(data: &Data, options: &Options, results: &mut Results) -> Outcome<()> {
    reading::measure(data, options, results)?;
    if ["send-email", "send-email-1", "send-email-synchronous"]
        .iter()
        .any(|row| options.wants(row))
    {
        mailing::measure(data, options, results)?;
    }
    Ok(())
}

/// Loads each contender in turn, `runs` times over.
pub(crate) fn run(row: &Row<'_>, options: &Options, results: &mut Results) -> Outcome<()> {
    if !options.wants(row.name) {
        return Ok(());
    }
    for entry in &row.entries {
        check(entry)?;
        load::run(
            entry.server.address,
            &entry.request,
            row.connections,
            options.warm_up,
        )?;
    }
    for _ in 0..options.runs {
        for entry in &row.entries {
            let sample = load::run(
                entry.server.address,
                &entry.request,
                row.connections,
                options.seconds,
            )?;
            results.load(row.name, entry.contender, sample);
        }
    }
    Ok(())
}

/// Sees that a GET is answered as the row means, before it is measured.
fn check(entry: &Entry<'_>) -> Outcome<()> {
    if entry.request.method != "GET" {
        return Ok(());
    }
    let path = entry.request.path.replace("{n}", "123");
    let headers: Vec<&str> = entry.request.headers.iter().map(String::as_str).collect();
    let answer = http::get(entry.server.address, &path, &headers)
        .map_err(|error| format!("{path}: {error}"))?;
    let expected = if headers
        .iter()
        .any(|header| header.starts_with("if-none-match"))
    {
        304
    } else {
        200
    };
    if answer.status == expected {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Err(format!(
        "{} answered {path} with {}: {body}",
        entry.contender, answer.status
    ))
}
