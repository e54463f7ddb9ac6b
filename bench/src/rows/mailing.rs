//! Rows that queue mails, with their worker at work.

use super::{Row, entry, row, run};
use crate::Outcome;
use crate::contender::{Cache, Data, Mailer, Redis, express, ours};
use crate::load::Request;
use crate::options::Options;
use crate::results::Results;

/// Measures them.
pub(super) fn measure(data: &Data, options: &Options, results: &mut Results) -> Outcome<()> {
    let redis = Redis::start_in(&data.folder)?;
    let (ours, express) = (ours(data, Cache::On)?, express(data, Some(&redis))?);
    let mailer = Mailer::start(data, &redis)?;
    let queued = || {
        vec![
            entry("Paceline, fsync", &ours, Request::mail("/send-email")),
            entry(
                "Express, Redis in memory",
                &express,
                Request::mail("/send-email"),
            ),
        ]
    };
    run(&row("send-email", queued()), options, results)?;
    run(
        &Row {
            connections: 1,
            ..row("send-email-1", queued())
        },
        options,
        results,
    )?;
    let synchronous = entry(
        "Express, sent before the answer",
        &express,
        Request::mail("/send-email-synchronous"),
    );
    run(
        &row("send-email-synchronous", vec![synchronous]),
        options,
        results,
    )?;
    if options.wants("send-email") && mailer.delivered() == 0 {
        return Err("the Express peer's worker delivered nothing".to_owned());
    }
    Ok(())
}
