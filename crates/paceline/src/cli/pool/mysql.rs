//! `paceline pool doctor` for MySQL and `MariaDB`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use paceline_data::mysql::connect::Address;
use paceline_data::mysql::doctor::{
    self, Advice, CannotExamine, Facts, Finding, Grade, advise, judge,
};
use serde::Serialize;

use super::doctor::mark;
use crate::cli::Failure;

/// Tries the address and prints what was found.
pub(super) fn examine(url: &str, as_json: bool, most: Duration) -> Result<(), Failure> {
    let address: Address = url.parse().map_err(|error| Failure::usage(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::run(&error))?;
    let examining = doctor::examine(&address, Instant::now() + most);
    let facts = runtime.block_on(examining).map_err(|error| match error {
        CannotExamine::Address(error) => Failure::usage(&error),
        other => Failure::run(&other),
    })?;
    let (findings, advice) = (judge(&facts), advise(&facts));
    if as_json {
        print!("{}", json(&facts, &findings, advice));
    } else {
        print!("{}", text(&address, &findings, advice));
    }
    let wrong = findings.iter().filter(|found| found.grade == Grade::Wrong);
    match wrong.count() {
        0 => Ok(()),
        count => Err(Failure::Run(format!("{count} to be mended in {address}"))),
    }
}

fn text(address: &Address, findings: &[Finding], advice: Advice) -> String {
    let mut text = String::new();
    for found in findings {
        let _ = writeln!(text, "{}  {}", mark(found.grade), found.text);
    }
    text + &format!(
        "\nThe configuration that fits (the address with its password, from the environment):\n\n\
         [database]\nurl = \"${{DATABASE_URL}}\" # {address}\n\n[pool]\npooler = \"{}\"\n",
        advice.pooler
    )
}

/// What a program reads.
#[derive(Debug, Serialize)]
struct Report<'a> {
    server_version: &'a str,
    pooler: &'a str,
    statements: String,
    prepared_statements: bool,
    settings: Option<&'a str>,
    kill: Option<bool>,
    read_only: bool,
    connect_ms: f64,
    round_trip_ms: f64,
    max_connections: Option<u64>,
    findings: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    grade: &'static str,
    text: &'a str,
}

fn json(facts: &Facts, findings: &[Finding], advice: Advice) -> String {
    let report = Report {
        server_version: &facts.session.version,
        pooler: advice.pooler,
        statements: advice.statements.to_string(),
        prepared_statements: facts.prepares,
        settings: facts.session.settings.as_deref(),
        kill: facts.kills,
        read_only: facts.is_read_only,
        connect_ms: facts.connect.as_secs_f64() * 1e3,
        round_trip_ms: facts.round_trip.as_secs_f64() * 1e3,
        max_connections: facts.max_connections,
        findings: findings
            .iter()
            .map(|found| Line {
                grade: mark(found.grade).trim_end(),
                text: &found.text,
            })
            .collect(),
    };
    serde_json::to_string_pretty(&report).expect("a report has a JSON form") + "\n"
}
