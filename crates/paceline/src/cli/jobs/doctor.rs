//! `paceline jobs doctor`: what is set wrongly, and what can be lost.

use std::fmt;
use std::path::Path;

use clap::Args;
use paceline_jobs::engine::redis::{RedisFacts, Severity};
use paceline_jobs::{QueueInfo, RedisEngine};
use serde::Serialize;

use super::store::{self, Missing};
use super::{failure, render};
use crate::cli::Failure;
use crate::config::JobStoreUrl;
use crate::job_store;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when something has to be mended.

Examples:
  paceline jobs doctor sqlite:jobs.db
  paceline jobs doctor redis://127.0.0.1:6379
  paceline jobs doctor redis+cluster://10.0.0.1:6379,10.0.0.2:6379")]
pub(super) struct Doctor {
    /// The store
    #[arg(value_name = "URL")]
    store: JobStoreUrl,
}

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grade {
    /// As it should be.
    Fine,
    /// To be known.
    Note,
    /// Jobs can be lost.
    Risk,
    /// To be mended.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) grade: Grade,
    pub(super) text: String,
}

impl Finding {
    fn new(grade: Grade, text: impl Into<String>) -> Self {
        Self {
            grade,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.grade {
            Grade::Fine => "ok   ",
            Grade::Note => "note ",
            Grade::Risk => "risk ",
            Grade::Wrong => "wrong",
        };
        write!(f, "{mark}  {}", self.text)
    }
}

impl Doctor {
    pub(super) fn run(self, json: bool) -> Result<(), Failure> {
        let (engine, mut findings) = match &self.store {
            JobStoreUrl::Sqlite(path) => {
                let engine = store::open(&self.store, Missing::Refused)?;
                (engine, file(path)?)
            }
            JobStoreUrl::Redis(address) => {
                let engine = job_store::open_redis(&self.store, address);
                let engine = engine.map_err(|error| Failure::run(&error))?;
                let found = server(&engine)?;
                (engine.into(), found)
            }
        };
        let queues = super::block_on(async {
            let queues = engine.queues().await;
            engine.stop(super::CLOSING).await;
            queues
        })?;
        match queues {
            Ok(queues) => findings.extend(of_queues(&queues)),
            // What was found before says why.
            Err(error) => {
                let text = format!("the queues cannot be listed: {}", failure::engine(&error));
                findings.push(Finding::new(Grade::Wrong, text));
            }
        }
        if json {
            print!("{}", render::json(&findings));
        } else {
            for finding in &findings {
                println!("{finding}");
            }
        }
        let wrong = findings.iter().filter(|found| found.grade == Grade::Wrong);
        match wrong.count() {
            0 => Ok(()),
            count => Err(Failure::Run(format!(
                "{count} to be mended in {}",
                self.store
            ))),
        }
    }
}

/// The file, looked at beside the engine. The engine opened it: its version and place are fine.
fn file(path: &Path) -> Result<Vec<Finding>, Failure> {
    let failed = |error: rusqlite::Error| Failure::run(&error);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    let mut found = vec![Finding::new(
        Grade::Fine,
        format!("SQLite {} on a local file system", rusqlite::version()),
    )];
    found.push(
        match text("PRAGMA journal_mode").map_err(failed)?.as_str() {
            "wal" => Finding::new(Grade::Fine, "the file is in WAL mode"),
            other => Finding::new(
                Grade::Wrong,
                format!("the file is in journal mode {other}, not WAL: something else changed it"),
            ),
        },
    );
    found.push(
        match text("PRAGMA quick_check(1)").map_err(failed)?.as_str() {
            "ok" => Finding::new(Grade::Fine, "the file is sound (quick_check)"),
            told => Finding::new(
                Grade::Wrong,
                format!("the file is damaged: {told}. Stop what uses it, and go back to a copy"),
            ),
        },
    );
    found.push(Finding::new(
        Grade::Note,
        "an add is answered after fsync; with durability = \"normal\" in [jobs] a power loss may take the last ones",
    ));
    Ok(found)
}

/// The server's own settings, judged by the engine.
fn server(engine: &RedisEngine) -> Result<Vec<Finding>, Failure> {
    let report = super::block_on(engine.doctor())?;
    let report = report.map_err(|error| failure::engine(&error))?;
    let mut found = Vec::new();
    if report.nodes.is_empty() {
        found.extend(fine(&report.facts, ""));
    }
    for node in &report.nodes {
        let facts = node.facts.iter();
        found.extend(facts.flat_map(|facts| fine(facts, &format!("{}: ", node.address))));
    }
    for finding in report.findings {
        let grade = match finding.severity {
            Severity::Note => Grade::Note,
            Severity::Warning => Grade::Risk,
            Severity::Problem => Grade::Wrong,
        };
        found.push(Finding::new(grade, finding.text));
    }
    Ok(found)
}

/// What is as it should be on a server, or on the node of a cluster that `at` names.
fn fine(facts: &RedisFacts, at: &str) -> Vec<Finding> {
    let version = format!("{at}Redis {} ({})", facts.version, facts.role);
    let mut found = vec![Finding::new(Grade::Fine, version)];
    if facts.maxmemory_policy.as_deref() == Some("noeviction") {
        found.push(Finding::new(Grade::Fine, format!("{at}it evicts no keys")));
    }
    if facts.append_only == Some(true) && facts.append_fsync.as_deref() == Some("always") {
        let text =
            format!("{at}every change is on disk before it is answered (appendfsync always)");
        found.push(Finding::new(Grade::Fine, text));
    }
    found
}

fn of_queues(queues: &[QueueInfo]) -> Vec<Finding> {
    let mut found = Vec::new();
    for queue in queues {
        let (name, counts) = (&queue.name, &queue.counts);
        let waiting = counts.not_started();
        if queue.paused && waiting > 0 {
            let text =
                format!("{name} is paused and {waiting} jobs wait: paceline jobs resume {name}");
            found.push(Finding::new(Grade::Note, text));
        }
        if counts.failed > 0 {
            let text = format!(
                "{name} has {} failed jobs: paceline jobs list {name} --state failed",
                counts.failed
            );
            found.push(Finding::new(Grade::Note, text));
        }
    }
    let text = match queues.len() {
        1 => "1 queue".to_owned(),
        count => format!("{count} queues"),
    };
    found.insert(0, Finding::new(Grade::Fine, text));
    found
}
