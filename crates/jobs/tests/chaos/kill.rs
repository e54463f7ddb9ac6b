//! `kill -9` of producers and workers at random points.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use paceline_jobs::{EngineHandle, Queue};

use crate::actor::{self, QUEUE, Role};
use crate::{ledger, store};

/// How often something is killed.
fn rounds() -> u32 {
    std::env::var("PACELINE_CHAOS_ROUNDS").map_or(50, |rounds| rounds.parse().unwrap())
}

/// The processes, and where they note what they do.
struct Fleet {
    url: String,
    acknowledged: PathBuf,
    runs: PathBuf,
    producer: Child,
    worker: Child,
}

impl Fleet {
    fn start(url: String, folder: &Path) -> Self {
        let (acknowledged, runs) = (folder.join("acknowledged"), folder.join("runs"));
        Self {
            producer: actor::start(Role::Producer, &url, &acknowledged),
            worker: actor::start(Role::Worker, &url, &runs),
            url,
            acknowledged,
            runs,
        }
    }

    fn kill_and_restart(&mut self, role: Role) {
        let (victim, ledger) = match role {
            Role::Producer => (&mut self.producer, &self.acknowledged),
            _ => (&mut self.worker, &self.runs),
        };
        end(victim);
        *victim = actor::start(role, &self.url, ledger);
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        end(&mut self.producer);
        end(&mut self.worker);
    }
}

/// `SIGKILL`, and no zombie.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A number nobody can foresee; printed, so that a failure tells what it was.
fn random() -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    u32::from_le_bytes(bytes)
}

/// Waits until nothing is left to do.
async fn worked_off(engine: &EngineHandle) {
    let queue: Queue<u64> = Queue::new(engine, QUEUE).unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let counts = queue.info().await.unwrap().unwrap().counts;
        if counts.not_started() + counts.active == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "not worked off: {counts:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Kills something in each round, lets the rest be worked off, and checks the ledger. `kill_store` kills
/// the store itself and brings it back, where that can be done.
async fn rounds_of_killing(url: String, folder: &Path, kill_store: Option<&dyn Fn()>) {
    let mut fleet = Fleet::start(url, folder);
    for _ in 0..rounds() {
        let random = random();
        let before_kill = Duration::from_micros(u64::from(random % 150_000));
        tokio::time::sleep(before_kill).await;
        match (random >> 20) % 3 {
            0 => fleet.kill_and_restart(Role::Producer),
            1 => fleet.kill_and_restart(Role::Worker),
            _ => kill_store.map_or_else(|| fleet.kill_and_restart(Role::Worker), |kill| kill()),
        }
    }
    end(&mut fleet.producer);
    let engine = store::open(&fleet.url).await;
    worked_off(&engine).await;
    let acknowledged = ledger::acknowledged(&fleet.acknowledged);
    assert!(!acknowledged.is_empty(), "nothing was ever acknowledged");
    let queue: Queue<u64> = Queue::new(&engine, QUEUE).unwrap();
    ledger::check(&queue, &acknowledged, &fleet.runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_producers_and_workers_lose_no_acknowledged_job() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("jobs.db").display());
    rounds_of_killing(url, folder.path(), None).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn killed_producers_workers_and_servers_lose_no_acknowledged_job_on_redis() {
    let folder = tempfile::tempdir().unwrap();
    let server = crate::server::Server::start();
    let kill = || {
        server.kill();
        assert!(server.run(), "the server did not come back");
    };
    rounds_of_killing(server.url(), folder.path(), Some(&kill)).await;
}
