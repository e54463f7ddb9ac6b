//! A worker that is frozen for longer than its lease, and wakes up again.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{ChildStdout, Command};
use std::time::Duration;

use paceline_jobs::{Job, JobError, Queue, Shutdown, State, Worker};
use tokio::sync::oneshot;

use crate::actor::{self, QUEUE, Role};
use crate::store;

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn heard(lines: &mut Lines<BufReader<ChildStdout>>, words: &[&str]) -> String {
    lines
        .map(Result::unwrap)
        .find(|line| words.contains(&line.as_str()))
        .unwrap_or_else(|| panic!("the process ended without saying one of {words:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_past_its_lease_is_refused_and_the_job_succeeds_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("jobs.db").display());
    freeze_and_wake(&url, folder.path()).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_past_its_lease_is_refused_and_the_job_succeeds_once_on_redis() {
    let folder = tempfile::tempdir().unwrap();
    let server = crate::server::Server::start();
    freeze_and_wake(&server.url(), folder.path()).await;
}

async fn freeze_and_wake(url: &str, folder: &Path) {
    let engine = store::open(url).await;
    let queue: Queue<u64> = Queue::new(&engine, QUEUE).unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let mut holder = actor::start(Role::Holder, url, &folder.join("unused"));
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    heard(&mut lines, &["holding"]);
    signal("-STOP", holder.id());

    let (done, finished) = oneshot::channel();
    let done = std::sync::Mutex::new(Some(done));
    let second = Worker::builder(queue.clone())
        .poll(Duration::from_millis(50))
        .start(move |job: Job<u64>| {
            let done = done.lock().unwrap().take();
            let start = job.start();
            async move {
                done.map(|done| done.send(start));
                Ok::<_, JobError>("in time")
            }
        });
    let start = tokio::time::timeout(Duration::from_secs(30), finished).await;
    assert_eq!(
        start.unwrap().unwrap(),
        2,
        "the second holder has the second start"
    );
    second.stop(Duration::from_secs(5)).await;

    signal("-CONT", holder.id());
    writeln!(holder.stdin.take().unwrap(), "go on").unwrap();
    let answer = heard(&mut lines, &["accepted", "refused"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(answer, "refused", "the first holder's lease has ended");
    let job = queue.get(&id).await.unwrap().unwrap();
    assert_eq!((job.state, job.starts), (State::Completed, 2));
    assert_eq!(job.result.unwrap().get(), "\"in time\"");
}
