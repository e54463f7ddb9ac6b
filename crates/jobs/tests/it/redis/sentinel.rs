//! A server that real sentinels watch over, and its failover.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use paceline_jobs::{EngineHandle, Queue, RedisOptions};
use tempfile::TempDir;

use super::running::{RESUMES_WITHIN, Running, with_causes};
use super::server::{Server, free_port};
use super::store::{connect, wait_for};

/// A running sentinel.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Sentinel {
    /// Starts one that watches over `master`, which it calls `main`.
    fn start(master: &Server, quorum: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor main 127.0.0.1 {} {quorum}\n\
             sentinel down-after-milliseconds main 400\n\
             sentinel failover-timeout main 4000\n",
            folder.path().display(),
            master.port()
        );
        std::fs::write(&file, text).unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    /// Asks it; none while it does not answer.
    fn ask<T: redis::FromRedisValue>(&self, what: &[&str]) -> Option<T> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_connection().ok()?;
        let mut command = redis::cmd("SENTINEL");
        command.arg(what).query(&mut connection).ok()
    }

    fn master_port(&self) -> Option<u16> {
        let (_, port): (String, String) = self.ask(&["GET-MASTER-ADDR-BY-NAME", "main"])?;
        port.parse().ok()
    }

    /// How many replicas and other sentinels it has found.
    fn found(&self) -> Option<(u32, u32)> {
        let facts: std::collections::HashMap<String, String> = self.ask(&["MASTER", "main"])?;
        let number = |name: &str| facts.get(name)?.parse().ok();
        Some((number("num-slaves")?, number("num-other-sentinels")?))
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port at which nobody listens stands in front: sentinels are asked in turn.
fn url(sentinels: &[Sentinel], master: &str) -> String {
    let ports = std::iter::once(free_port()).chain(sentinels.iter().map(|one| one.port));
    let hosts: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    format!("redis+sentinel://{}/{master}", hosts.join(","))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_master(server: &Server) -> bool {
    let Ok(mut connection) = server.client().get_connection() else {
        return false;
    };
    let role: redis::RedisResult<Vec<redis::Value>> = redis::cmd("ROLE").query(&mut connection);
    role.is_ok_and(|role| role[0] == redis::Value::BulkString(b"master".to_vec()))
}

/// Whether it is a replica that has what its master has.
fn follows(server: &Server) -> bool {
    let Ok(mut connection) = server.client().get_connection() else {
        return false;
    };
    let told: redis::RedisResult<String> = redis::cmd("INFO").query(&mut connection);
    told.is_ok_and(|told| told.contains("master_link_status:up"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_master_is_replaced_and_the_worker_goes_on_with_the_new_one() {
    let first = Server::start_with(|_| {
        let at_once = ["--repl-diskless-sync-delay", "0"];
        at_once.map(ToOwned::to_owned).into()
    });
    let master = first.port().to_string();
    let second = Server::start_with(|_| {
        let replica = ["--replicaof", "127.0.0.1", &master];
        replica.map(ToOwned::to_owned).into()
    });
    let sentinels = [(); 3].map(|()| Sentinel::start(&first, 2));
    for sentinel in &sentinels {
        until("they find each other", || sentinel.found() == Some((1, 2))).await;
    }
    until("the replica follows", || follows(&second)).await;
    let options = RedisOptions::new(url(&sentinels, "main"));
    let engine = connect(options.sweep_every(Duration::from_millis(200)));
    let engine = EngineHandle::from(engine);
    let mut running = Running::start(&engine, "q");
    running.handles(50).await;

    first.kill();
    let killed = Instant::now();
    until("the failover is done", || {
        let told = sentinels.iter().filter_map(Sentinel::master_port);
        is_master(&second) && told.filter(|port| *port == second.port()).count() == 3
    })
    .await;
    let resumed = running.handles(1).await;
    assert!(resumed < RESUMES_WITHIN, "{resumed:?}");
    running.handles(50).await;

    // The old master comes back as a replica; then they change places without anybody dying.
    assert!(first.run());
    let _: String = redis::cmd("REPLICAOF")
        .arg(&["127.0.0.1", &second.port().to_string()])
        .query(&mut first.connection())
        .unwrap();
    until("the old master follows", || follows(&first)).await;
    let changing = Instant::now();
    let changed: Option<String> = sentinels[0].ask(&["FAILOVER", "main"]);
    assert_eq!(changed.as_deref(), Some("OK"));
    until("they have changed places", || {
        let told = sentinels.iter().filter_map(Sentinel::master_port);
        told.filter(|port| *port == first.port()).count() == 3
    })
    .await;
    let changed = Instant::now();
    let mut connection = first.connection();
    until("the engine goes to the new master", || {
        let told: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query(&mut connection)
            .unwrap();
        told.contains("cmd=evalsha")
    })
    .await;
    assert!(
        changed.elapsed() < RESUMES_WITHIN,
        "{:?}",
        changed.elapsed()
    );
    running.handles(50).await;
    let (produced, lost) = running.settle().await;
    assert!(produced.acknowledged.len() >= 100, "{produced:?}");
    // What a master answers and has no time to copy is lost with it; nothing else is.
    let with_it = lost.iter().filter(|at| **at <= killed).count();
    assert!(
        with_it <= 20,
        "{with_it} answered before the master was killed"
    );
    let late = lost.iter().filter(|at| **at > killed);
    let bounds = changing..changed + Duration::from_secs(2);
    let late: Vec<Duration> = late
        .filter(|at| !bounds.contains(at))
        .map(|at| at.duration_since(changing))
        .collect();
    assert!(
        late.is_empty(),
        "lost after the engine should have known: {late:?}"
    );
}

#[test]
fn a_master_nobody_knows_is_named_with_those_that_are_known() {
    let server = Server::start();
    let sentinels = [Sentinel::start(&server, 1)];
    wait_for(until("it answers", || sentinels[0].found().is_some()));
    let wrong = RedisOptions::new(url(&sentinels, "mian"));
    let error = with_causes(&wait_for(wrong.connect()).unwrap_err());
    assert!(
        error.contains("the sentinels know no master \"mian\"") && error.contains("know: main)"),
        "{error}"
    );
    let right = connect(RedisOptions::new(url(&sentinels, "main")));
    let queue: Queue<u32> = Queue::new(&right, "q").unwrap();
    wait_for(queue.add("n", &1)).unwrap();
}

#[test]
fn sentinels_that_are_not_there_are_given_up_within_the_deadline() {
    let options = RedisOptions::new(url(&[], "main")).deadline(Duration::from_millis(500));
    let began = Instant::now();
    let error = with_causes(&wait_for(options.connect()).unwrap_err());
    assert!(error.contains("no sentinel answered"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3));
}
