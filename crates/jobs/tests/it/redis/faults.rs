//! A server that restarts, forgets its scripts, or loses markers.

use std::sync::Arc;
use std::time::Duration;

use paceline_jobs::{
    EngineError, EngineHandle, Job, JobError, JobOptions, OpenError, Queue, RedisEngine,
    RedisOptions, Shutdown, Worker,
};
use tokio::sync::mpsc;

use super::Store;
use super::server::Server;
use super::store::{connect, wait_for};

/// Waits for what the test's worker says.
async fn heard(from: &mut mpsc::UnboundedReceiver<u32>) -> u32 {
    tokio::time::timeout(Duration::from_secs(20), from.recv())
        .await
        .expect("in time")
        .unwrap()
}

fn worker(queue: Queue<u32>, poll: Duration) -> (Worker, mpsc::UnboundedReceiver<u32>) {
    let (told, heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue)
        .concurrency(4)
        .poll(poll)
        .start(move |job: Job<u32>| {
            let told = told.clone();
            async move {
                told.send(*job.data()).unwrap();
                Ok::<_, JobError>(())
            }
        });
    (worker, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_mid_work_loses_nothing_and_workers_go_on_by_themselves() {
    let server = Arc::new(Server::start());
    let engine = connect(RedisOptions::new(server.url()).sweep_every(Duration::from_millis(200)));
    let engine = EngineHandle::from(engine);
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (worker, mut heard_of) = worker(queue.clone(), Duration::from_secs(5));
    let numbers: Vec<u32> = (0..200).collect();
    let jobs = || {
        numbers
            .iter()
            .map(|number| ("n", number, JobOptions::new()))
    };
    queue.add_bulk(jobs()).await.unwrap();
    heard(&mut heard_of).await;
    server.kill();
    let down = queue.add("n", &1).await;
    assert!(down.is_err(), "a failure is an answer, not a hang");
    assert!(server.run());
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let counts = queue.info().await.unwrap().unwrap().counts;
        if counts.completed == 200 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{counts:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let added = queue.add("n", &1_000).await.unwrap();
    while heard(&mut heard_of).await != 1_000 {}
    assert!(queue.get(&added.id).await.unwrap().is_some());
    worker.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_broke_is_noticed_before_it_is_used() {
    let server = Arc::new(Server::start());
    let engine = EngineHandle::from(connect(RedisOptions::new(server.url())));
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    server.kill();
    assert!(server.run());
    queue.add("n", &2).await.unwrap();
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 2);
}

#[tokio::test]
async fn forgotten_scripts_are_told_again() {
    let server = Server::start();
    let engine = EngineHandle::from(connect(RedisOptions::new(server.url())));
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec(&mut server.connection())
        .unwrap();
    queue.add("n", &2).await.unwrap();
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_marker_delays_a_job_by_the_poll_bound_at_most() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    queue.pause().await.unwrap();
    queue.add("n", &1).await.unwrap();
    // Resumed by somebody who sets no marker.
    let _: i64 = store.command(&["HDEL", &store.key("meta"), "paused"]);
    let (worker, mut heard_of) = worker(queue, Duration::from_millis(100));
    assert_eq!(heard(&mut heard_of).await, 1);
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_is_woken_by_another_process_and_by_new_queues() {
    let store = Store::new();
    let other = store.second();
    let far = Duration::from_mins(10);
    let first: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let second: Queue<u32> = Queue::new(&store.engine, "r").unwrap();
    let (one, mut heard_one) = worker(first, far);
    let foreign: Queue<u32> = Queue::new(&other, "q").unwrap();
    for number in 0..20 {
        foreign.add("n", &number).await.unwrap();
        assert_eq!(heard(&mut heard_one).await, number);
    }
    // The wait for the first queue's marker is under way already.
    let (two, mut heard_two) = worker(second, far);
    let foreign: Queue<u32> = Queue::new(&other, "r").unwrap();
    for number in 0..20 {
        foreign.add("n", &number).await.unwrap();
        assert_eq!(heard(&mut heard_two).await, number);
    }
    one.stop(Duration::ZERO).await;
    two.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_is_given_up_within_the_deadline() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let options = RedisOptions::new(url).deadline(Duration::from_millis(200));
    let error = options.connect().await.unwrap_err();
    assert!(
        matches!(error, OpenError::Server(EngineError::Storage(_))),
        "{error:?}"
    );
}

#[test]
fn addresses_that_cannot_be_used_are_refused_with_a_reason() {
    for (url, part) in [("http://x", "address"), ("redis://127.0.0.1:1/", "server")] {
        let error = wait_for(RedisEngine::connect(url)).unwrap_err().to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
    let server = Server::shared();
    let options = RedisOptions::new(server.url()).prefix("a:b");
    let error = wait_for(options.connect()).unwrap_err().to_string();
    assert!(error.contains("colon"), "{error}");
}

#[tokio::test]
async fn a_stopped_engine_says_so() {
    let server = Server::shared();
    let engine = connect(RedisOptions::new(server.url()).prefix("stopped"));
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    engine.stop(Duration::from_secs(5)).await;
    let refused = queue.add("n", &2).await.unwrap_err().to_string();
    assert!(refused.contains("stopped"), "{refused}");
}
