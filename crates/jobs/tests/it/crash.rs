//! A process that dies with jobs in its hands: this test starts itself again as that process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use paceline_jobs::{EngineHandle, Job, JobError, LeaseToken, Queue, SqliteEngine, State, Worker};

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

const EXITS: &str = "PACELINE_JOBS_TEST_EXITS";

/// A worker whose handler ends the process. Without the variable it is a test that passes.
#[tokio::test(flavor = "multi_thread")]
async fn child_whose_handler_exits() {
    let Ok(path) = std::env::var(EXITS) else {
        return;
    };
    let engine = EngineHandle::from(SqliteEngine::open(path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let _worker = Worker::builder(queue).start(|_: Job<u32>| async {
        std::process::exit(7);
        #[allow(unreachable_code, reason = "says what the handler would give")]
        Ok::<_, JobError>(())
    });
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_a_handler_that_exits_the_process_loses_its_lease_and_not_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    for stalls in 1..=2 {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_whose_handler_exits"])
            .env(EXITS, &path)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(7), "the handler ran");
        engine.sweep().await.unwrap();
        let snapshot = crate::workbench::reaches(&queue, &id, State::Waiting).await;
        assert_eq!(
            (snapshot.stalls, snapshot.attempts_made),
            (stalls, 0),
            "counted as a lost lease, which is bounded, and not as an attempt"
        );
    }
}
