//! `paceline pool doctor` for `PlanetScale` over HTTP.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use paceline_data::planetscale::doctor::{Facts, examine as look};
use paceline_data::planetscale::{Address, ClientOptions, PlanetScaleClient};
use paceline_data::postgres::doctor::Grade;
use serde::Serialize;

use super::doctor::mark;
use crate::cli::Failure;

/// Tries the address and prints what was found.
pub(super) fn examine(url: &str, as_json: bool, most: Duration) -> Result<(), Failure> {
    let address: Address = url.parse().map_err(|error| Failure::usage(&error))?;
    let client = PlanetScaleClient::new(address.clone(), ClientOptions::default())
        .map_err(|error| Failure::usage(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::run(&error))?;
    let facts = runtime
        .block_on(look(&client, Instant::now() + most))
        .map_err(|error| Failure::run(&error))?;
    if as_json {
        print!("{}", json(&facts));
    } else {
        print!("{}", text(&address, &facts));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn findings(facts: &Facts) -> Vec<(Grade, String)> {
    let mut found = vec![(
        Grade::Fine,
        format!(
            "PlanetScale's MySQL over HTTP: {}, database {:?}",
            facts.version, facts.database
        ),
    )];
    found.push((
        Grade::Fine,
        format!(
            "the first statement took {:.1} ms, others {:.1} ms, of which the server worked {:.1} ms",
            milliseconds(facts.first),
            milliseconds(facts.round_trip),
            milliseconds(facts.server_time)
        ),
    ));
    found.push(if facts.keeps_sessions {
        (
            Grade::Fine,
            "sessions live on when they are sent back; each is checked once".to_owned(),
        )
    } else {
        (
            Grade::Risk,
            "what a session holds is not there in its next statement: transactions may not work"
                .to_owned(),
        )
    });
    if !facts.is_strict {
        found.push((
            Grade::Risk,
            "values that do not fit are cut off without a word (sql_mode has no STRICT_...): nothing can be written".to_owned(),
        ));
    }
    found.push((
        Grade::Note,
        "an answer has 100,000 rows at most, a transaction 20 s; where TCP is possible, mysql:// is quicker and streams"
            .to_owned(),
    ));
    found
}

fn text(address: &Address, facts: &Facts) -> String {
    let mut text = String::new();
    for (grade, found) in findings(facts) {
        let _ = writeln!(text, "{}  {found}", mark(grade));
    }
    let _ = write!(
        text,
        "\nThe configuration that fits (the address with its password, from the environment):\n\n\
         [database]\nurl = \"${{DATABASE_URL}}\" # {address}\n"
    );
    text
}

/// What a program reads.
#[derive(Debug, Serialize)]
struct Report<'a> {
    kind: &'static str,
    server_version: &'a str,
    database: &'a str,
    sessions: bool,
    strict: bool,
    first_ms: f64,
    round_trip_ms: f64,
    server_ms: f64,
    findings: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    grade: &'static str,
    text: String,
}

fn json(facts: &Facts) -> String {
    let report = Report {
        kind: "planetscale-http",
        server_version: &facts.version,
        database: &facts.database,
        sessions: facts.keeps_sessions,
        strict: facts.is_strict,
        first_ms: milliseconds(facts.first),
        round_trip_ms: milliseconds(facts.round_trip),
        server_ms: milliseconds(facts.server_time),
        findings: findings(facts)
            .into_iter()
            .map(|(grade, text)| Line {
                grade: mark(grade).trim_end(),
                text,
            })
            .collect(),
    };
    serde_json::to_string_pretty(&report).expect("a report has a JSON form") + "\n"
}
