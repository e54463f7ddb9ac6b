//! Where and when it was measured.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// What absolute figures mean nothing without.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    /// Processor model.
    pub(crate) processor: String,
    /// How many of them.
    pub(crate) processors: usize,
    /// Memory in GiB.
    pub(crate) memory: u64,
    /// Kernel.
    pub(crate) kernel: String,
    /// Versions of what takes part.
    pub(crate) versions: Vec<String>,
    /// Commit that was measured.
    pub(crate) commit: String,
    /// When, in UTC.
    pub(crate) date: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn this() -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kibibytes = memory.lines().find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        });
        let changed = if first_line("git", &["status", "--porcelain"]).is_empty() {
            ""
        } else {
            " with changes"
        };
        Self {
            processor: model.unwrap_or("unknown").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory: kibibytes.unwrap_or(0) / (1024 * 1024),
            kernel: first_line("uname", &["-sr"]),
            versions: vec![
                first_line("rustc", &["--version"]),
                format!("Node {}", first_line("node", &["--version"])),
                first_line("redis-server", &["--version"])
                    .split(" sha")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                format!("SQLite {}", rusqlite::version()),
                first_line("psql", &["--version"]).replace("psql (PostgreSQL)", "PostgreSQL"),
                first_line("mariadbd", &["--version"])
                    .replace("mariadbd  Ver", "MariaDB")
                    .split(" for ")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                first_line(
                    &crate::places::pocketbase().to_string_lossy(),
                    &["--version"],
                ),
            ],
            commit: first_line("git", &["rev-parse", "--short", "HEAD"]) + changed,
            date: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M UTC")
                .to_string(),
        }
    }
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(crate::places::bench(".."))
        .output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
