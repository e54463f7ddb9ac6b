//! `paceline pool doctor`: tries an address, and prints what was found and the configuration to use.

use std::time::{Duration, Instant};

use clap::Args;
use paceline_data::postgres::connect::{Address, StatementMode};
use paceline_data::postgres::doctor::{
    Advice, CannotExamine, Facts, Finding, Grade, Named, Sharing, advise, examine, judge,
};
use serde::Serialize;

use crate::cli::Failure;

/// How long the whole examination may take.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(after_help = "\
It connects a few times and changes nothing in the database. Statements are prepared under names that
nobody else has, and removed again.

Exit codes: 0 nothing to mend, 1 something to mend or no connection, 2 the address is wrong.

Examples:
  paceline pool doctor postgres://app@db.example.com/shop
  paceline pool doctor mysql://app@db.example.com/shop
  paceline pool doctor \"$DATABASE_URL\" --json")]
pub(super) struct Doctor {
    /// The address: `postgres://user:password@host:port/database`, `mysql://...` or `planetscale://...`
    // Not parsed by clap, which would print it, password and all, when it is wrong.
    #[arg(value_name = "URL")]
    url: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.url.split_once(':') {
            Some(("mysql" | "mariadb", _)) => {
                return super::mysql::examine(&self.url, self.json, TIMEOUT);
            }
            Some(("planetscale", _)) => {
                return super::planetscale::examine(&self.url, self.json, TIMEOUT);
            }
            _ => {}
        }
        let address = address(&self.url)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::run(&error))?;
        let examining = examine(&address, Instant::now() + TIMEOUT);
        let facts = runtime.block_on(examining).map_err(|error| match error {
            CannotExamine::Address(error) => Failure::usage(&error),
            other => Failure::run(&other),
        })?;
        let (findings, advice) = (judge(&facts), advise(&facts));
        if self.json {
            print!("{}", json(&facts, &findings, advice));
        } else {
            print!("{}", text(&address, &findings, advice));
        }
        match findings
            .iter()
            .filter(|found| found.grade == Grade::Wrong)
            .count()
        {
            0 => Ok(()),
            count => Err(Failure::Run(format!("{count} to be mended in {address}"))),
        }
    }
}

/// Reads the address; what is wrong about it never shows the password.
fn address(text: &str) -> Result<Address, Failure> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    match scheme {
        Some("sqlite") => Err(Failure::Usage(
            "a SQLite file has no pool: there is nothing to examine".to_owned(),
        )),
        _ => text.parse().map_err(|error| Failure::usage(&error)),
    }
}

pub(super) fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Fine => "ok   ",
        Grade::Note => "note ",
        Grade::Risk => "risk ",
        Grade::Wrong => "wrong",
    }
}

fn text(address: &Address, findings: &[Finding], advice: Advice) -> String {
    let mut lines: Vec<String> = findings
        .iter()
        .map(|found| format!("{}  {}", mark(found.grade), found.text))
        .collect();
    let heading =
        "The configuration that fits (the address with its password, from the environment):";
    lines.extend(["", heading, "", "[database]"].map(str::to_owned));
    lines.push(format!("url = \"${{DATABASE_URL}}\" # {address}"));
    lines.push(String::new());
    lines.extend(section(advice));
    lines.join("\n") + "\n"
}

/// The section that fits, as lines of a configuration.
fn section(advice: Advice) -> Vec<String> {
    let mut lines = vec![
        "[pool]".to_owned(),
        format!("pooler = \"{}\"", advice.endpoint.name()),
    ];
    if advice.ask_for_statements {
        lines.push(format!("statements = \"{}\"", advice.statements));
    }
    lines
}

/// What a program reads.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a yes or a no"
)]
struct Report<'a> {
    endpoint: String,
    pooler: Option<&'a str>,
    server_version: &'a str,
    statements: String,
    named_statements: &'a str,
    shared_sessions: bool,
    startup_options: bool,
    cancel: bool,
    standby: bool,
    superuser: bool,
    connect_ms: f64,
    round_trip_ms: f64,
    max_connections: Option<u32>,
    findings: Vec<Line<'a>>,
    config: Section,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    grade: &'static str,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct Section {
    pool: PoolKeys,
}

#[derive(Debug, Serialize)]
struct PoolKeys {
    pooler: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<String>,
}

fn json(facts: &Facts, findings: &[Finding], advice: Advice) -> String {
    let statements = |mode: StatementMode| mode.to_string();
    let report = Report {
        endpoint: facts.endpoint.name(),
        pooler: facts.pooler.as_deref(),
        server_version: &facts.server_version,
        statements: statements(advice.statements),
        named_statements: match facts.named {
            Named::Work => "work",
            Named::Mixed => "mixed",
            Named::NotTried => "not-tried",
            _ => "fail",
        },
        shared_sessions: facts.sharing == Sharing::Transactions,
        startup_options: facts.takes_options,
        cancel: facts.cancels,
        standby: facts.is_standby,
        superuser: facts.is_superuser,
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
        config: Section {
            pool: PoolKeys {
                pooler: advice.endpoint.name(),
                statements: advice
                    .ask_for_statements
                    .then(|| statements(advice.statements)),
            },
        },
    };
    serde_json::to_string_pretty(&report).expect("a report has a JSON form") + "\n"
}
