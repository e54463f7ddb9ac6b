//! Who takes part, as data: a program, the store it works on, how durable an answer of it is.

use std::path::Path;
use std::process::Command;

use crate::contender::Redis;
use crate::{Outcome, places};

/// One contender.
#[derive(Debug)]
pub(super) struct Contender {
    /// Its name in the report.
    pub(super) name: &'static str,
    /// What an answer promises.
    pub(super) durability: &'static str,
    program: Program,
    /// What it works on.
    pub(super) store: Store,
    /// It gets this share of the jobs: what is slow would otherwise take minutes to be filled.
    pub(super) share: u32,
}

/// What is started.
#[derive(Clone, Copy, Debug)]
enum Program {
    /// This program, in its mode `jobs`.
    Ours,
    /// A script of `bench/peers/bullmq`.
    Node,
    /// The release binary of an excluded package under `bench/peers`.
    Peer(&'static str),
}

/// Where the jobs lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// A fresh file.
    File,
    /// A fresh Redis.
    Redis,
}

const FSYNC: &str = "fsync before the answer (WAL, synchronous = FULL)";
const MEMORY: &str = "none (save \"\", appendonly no)";

/// Our two engines, first the embedded one.
pub(super) const OURS: [Contender; 2] = [
    Contender {
        name: "Paceline, SQLite",
        durability: FSYNC,
        program: Program::Ours,
        store: Store::File,
        share: 1,
    },
    Contender {
        name: "Paceline, Redis",
        durability: MEMORY,
        program: Program::Ours,
        store: Store::Redis,
        share: 1,
    },
];

/// Those we are measured against.
pub(super) const PEERS: [Contender; 3] = [
    Contender {
        name: "BullMQ 6.7 on Node",
        durability: MEMORY,
        program: Program::Node,
        store: Store::Redis,
        share: 1,
    },
    Contender {
        name: "bullmq-official 1.4",
        durability: MEMORY,
        program: Program::Peer("bullmq-official"),
        store: Store::Redis,
        share: 1,
    },
    Contender {
        name: "apalis-sqlite 1.0",
        durability: "some or none (WAL; its set-up turns synchronous off on one connection of its pool)",
        program: Program::Peer("apalis-sqlite"),
        store: Store::File,
        share: 20,
    },
];

/// A store that was not used before; gone with it.
#[derive(Debug)]
pub(super) struct Fresh {
    folder: tempfile::TempDir,
    redis: Option<Redis>,
}

impl Fresh {
    pub(super) fn new(store: Store) -> Outcome<Self> {
        // On the disk that is built on: a file in memory would make fsync free.
        let folder = tempfile::tempdir_in(places::target())
            .map_err(|error| format!("no temporary folder: {error}"))?;
        let redis = match store {
            Store::File => None,
            Store::Redis => Some(Redis::start_in(folder.path())?),
        };
        Ok(Self { folder, redis })
    }

    fn url(&self) -> String {
        match &self.redis {
            Some(redis) => format!("redis://127.0.0.1:{}", redis.port()),
            None => format!("sqlite:{}", self.folder.path().join("jobs.db").display()),
        }
    }
}

impl Contender {
    /// Whether its program is there.
    pub(super) fn is_built(&self) -> bool {
        match self.program {
            Program::Ours | Program::Node => true,
            Program::Peer(name) => places::peer(name).is_file(),
        }
    }

    /// Runs one mode on a fresh store; gives the line it prints.
    pub(super) fn run(
        &self,
        mode: &str,
        jobs: u32,
        seconds: u64,
        concurrency: u32,
    ) -> Outcome<serde_json::Value> {
        let fresh = Fresh::new(self.store)?;
        self.run_on(&fresh, mode, (jobs, seconds, concurrency))
    }

    /// The same on a store that others may have used: JOBS, SECONDS, CONCURRENCY.
    pub(super) fn run_on(
        &self,
        fresh: &Fresh,
        mode: &str,
        (jobs, seconds, concurrency): (u32, u64, u32),
    ) -> Outcome<serde_json::Value> {
        let mut command = self.command(fresh)?;
        command.arg(mode).arg(jobs.to_string());
        command
            .arg(seconds.to_string())
            .arg(concurrency.to_string());
        let output = command
            .output()
            .map_err(|error| format!("{} could not be started: {error}", self.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line).map_err(|_| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("{} gave no figures in {mode}: {text}{errors}", self.name)
        })
    }

    fn command(&self, fresh: &Fresh) -> Outcome<Command> {
        let mut command = match self.program {
            Program::Ours => {
                let program = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut command = Command::new(program);
                command.arg("jobs").arg(fresh.url());
                command
            }
            Program::Node => script(&places::bench("peers/bullmq/peer.js")),
            Program::Peer(name) => Command::new(places::peer(name)),
        };
        command.env("STORE", fresh.url());
        if let Some(redis) = &fresh.redis {
            command.env("REDIS_PORT", redis.port());
        }
        Ok(command)
    }
}

/// Node, as in production.
fn script(path: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(path).env("NODE_ENV", "production");
    command
}
