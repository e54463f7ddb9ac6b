//! This test program, started again as a producer or a worker that is going to die.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use paceline_jobs::{EngineHandle, Job, JobError, JobOptions, Queue, Worker};

use crate::ledger::Ledger;
use crate::store;

const ROLE: &str = "PACELINE_CHAOS_ROLE";
const URL: &str = "PACELINE_CHAOS_URL";
const LEDGER: &str = "PACELINE_CHAOS_LEDGER";
/// The queue all of them use.
pub(crate) const QUEUE: &str = "chaos";
/// How long leases run: short, so that those of the dead end soon.
pub(crate) const LEASE: Duration = Duration::from_millis(500);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Adds jobs and notes those that were acknowledged.
    Producer,
    /// Runs jobs and notes each run.
    Worker,
    /// Takes one job, says so, and tells whether it still has it when a line comes in.
    Holder,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Holder => "holder",
        }
    }
}

/// Starts a process in `role` on the store at `url`; it notes what it does in `ledger`.
pub(crate) fn start(role: Role, url: &str, ledger: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "actor", "--nocapture", "--quiet"])
        .env(ROLE, role.name())
        .env(URL, url)
        .env(LEDGER, ledger)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Plays the role this process was given, if any.
pub(crate) async fn play() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let engine = store::open(&std::env::var(URL).unwrap()).await;
    let ledger = Ledger::append_to(Path::new(&std::env::var(LEDGER).unwrap()));
    match role.as_str() {
        "producer" => produce(&engine, ledger).await,
        "worker" => work(&engine, ledger).await,
        "holder" => hold(&engine).await,
        other => panic!("there is no role {other}"),
    }
}

/// Adds without end. An add that failed is repeated under the same id: it may have been stored.
async fn produce(engine: &EngineHandle, mut ledger: Ledger) {
    let queue: Queue<u64> = Queue::new(engine, QUEUE).unwrap();
    for number in 0.. {
        let id = format!("p{}-{number}", std::process::id());
        loop {
            let options = JobOptions::new().attempts(3).id(&id).unwrap();
            if queue.add_with("n", &number, options).await.is_ok() {
                ledger.note_durably(&id);
                break;
            }
        }
    }
}

async fn work(engine: &EngineHandle, ledger: Ledger) {
    let queue: Queue<u64> = Queue::new(engine, QUEUE).unwrap();
    let ledger = std::sync::Mutex::new(ledger);
    let worker = Worker::builder(queue)
        .concurrency(8)
        .lease(LEASE)
        .poll(Duration::from_millis(100))
        .start(move |job: Job<u64>| {
            let line = format!("{} {}", job.id(), job.start());
            ledger.lock().unwrap().note(&line);
            async move {
                tokio::task::yield_now().await;
                Ok::<_, JobError>("done")
            }
        });
    std::future::pending::<()>().await;
    drop(worker);
}

/// Runs one job until a line comes in, then says whether its word still counts.
async fn hold(engine: &EngineHandle) {
    let queue: Queue<u64> = Queue::new(engine, QUEUE).unwrap();
    let worker = Worker::builder(queue)
        .lease(LEASE)
        .start(|job: Job<u64>| async move {
            say("holding");
            let wait =
                tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
            let _ = wait.await;
            let counts = job.progress(&"still here").await.is_ok();
            say(if counts { "accepted" } else { "refused" });
            Ok::<_, JobError>("late")
        });
    std::future::pending::<()>().await;
    drop(worker);
}

/// One line to the test that started this process.
fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").unwrap();
    out.flush().unwrap();
}
