//! A process that dies with jobs in its hands: this test starts itself again as that process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use paceline_jobs::{EngineHandle, LeaseToken, Queue, SqliteEngine, State};

use crate::store::claim;

const FILE: &str = "PACELINE_JOBS_TEST_FILE";

/// The dying process: adds, takes half of what it added, and waits to be killed. Without the variable it
/// is a test that passes.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_is_killed() {
    let Ok(path) = std::env::var(FILE) else {
        return;
    };
    let engine = EngineHandle::from(SqliteEngine::open(path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    for number in 0..10 {
        queue.add("n", &number).await.unwrap();
    }
    let taken = claim(&engine, "q", &LeaseToken::random(), 5).await;
    println!("ready {}", taken.len());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_a_killed_process_are_freed_at_the_next_start_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_that_is_killed", "--nocapture"])
        .env(FILE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().contains("ready 5")),
        "the child took its jobs"
    );
    child.kill().unwrap();
    child.wait().unwrap();

    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!(
        (counts.waiting, counts.active),
        (10, 0),
        "freed at once, not when the lease ends"
    );
    let taken = claim(&engine, "q", &LeaseToken::random(), 20).await;
    assert_eq!(taken.len(), 10);
    assert!(taken.iter().all(|job| job.attempt == 1));
    let first = queue.get(&taken[0].lease.id).await.unwrap().unwrap();
    assert_eq!(first.state, State::Active);
}
