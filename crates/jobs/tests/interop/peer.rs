//! A program in another language on the same queues, driven by JSON lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex as AsyncMutex, Notify, oneshot};
use tokio::time::timeout;

use crate::redis_server::RedisServer;

/// How long anything that is bound to happen may take on a machine that does other things too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The other program. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Peer {
    name: &'static str,
    stdin: AsyncMutex<ChildStdin>,
    number: AtomicU64,
    said: Arc<Said>,
    _child: Child,
}

/// What it printed so far.
#[derive(Debug, Default)]
struct Said {
    answers: Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>,
    happenings: Mutex<Vec<Value>>,
    more: Notify,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(name)
}

impl Peer {
    /// BullMQ for Node, with Bull Board.
    pub(crate) async fn node(redis: &RedisServer) -> Self {
        let mut command = Command::new("node");
        command.arg(folder("node/driver.js"));
        Self::start("the Node driver", command, redis).await
    }

    /// BullMQ for Python, from the environment that the set-up made.
    pub(crate) async fn python(redis: &RedisServer) -> Self {
        let program = std::env::var("PACELINE_INTEROP_PYTHON").expect(
            "`cargo xtask test interop` sets PACELINE_INTEROP_PYTHON to a Python that has bullmq",
        );
        let mut command = Command::new(program);
        command.arg(folder("python/driver.py"));
        Self::start("the Python driver", command, redis).await
    }

    /// BullMQ for Rust, the official port.
    pub(crate) async fn rust(redis: &RedisServer) -> Self {
        let program = std::env::var("PACELINE_INTEROP_RUST").expect(
            "`cargo xtask test interop` sets PACELINE_INTEROP_RUST to the program it built of tests/interop/rust",
        );
        Self::start("the Rust driver", Command::new(program), redis).await
    }

    async fn start(name: &'static str, mut command: Command, redis: &RedisServer) -> Self {
        let mut child = command
            .env("REDIS_PORT", redis.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let said = Arc::new(Said::default());
        let stdout = child.stdout.take().expect("piped");
        tokio::spawn(listen(name, stdout, Arc::clone(&said)));
        let peer = Self {
            name,
            stdin: AsyncMutex::new(child.stdin.take().expect("piped")),
            number: AtomicU64::new(0),
            said,
            _child: child,
        };
        peer.heard("ready", |_| true).await;
        peer
    }

    /// Lets it do `command` and gives its answer; a refusal fails the test.
    pub(crate) async fn call(&self, command: &str, values: Value) -> Value {
        match self.try_call(command, values).await {
            Ok(answer) => answer,
            Err(error) => panic!("{} refused {command}: {error}", self.name),
        }
    }

    /// The same where a refusal is of interest.
    pub(crate) async fn try_call(&self, command: &str, mut values: Value) -> Result<Value, String> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.said.answers.lock().unwrap().insert(number, sender);
        values["id"] = json!(number);
        values["command"] = json!(command);
        let line = format!("{values}\n");
        self.stdin
            .lock()
            .await
            .write_all(line.as_bytes())
            .await
            .unwrap_or_else(|error| panic!("{} is gone: {error}", self.name));
        timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("{} does not answer {command}", self.name))
            .unwrap_or_else(|_| panic!("{} ended within {command}", self.name))
    }

    /// The first happening of that kind that fits; waits for it.
    pub(crate) async fn heard(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let more = self.said.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some(found) = self.all(kind).into_iter().find(&fits) {
                    return found;
                }
                more.await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| {
            let happenings = self.said.happenings.lock().unwrap();
            panic!(
                "{} told of no such {kind:?}, only {happenings:#?}",
                self.name
            )
        })
    }

    /// All happenings of that kind so far.
    pub(crate) fn all(&self, kind: &str) -> Vec<Value> {
        let happenings = self.said.happenings.lock().unwrap();
        let of_kind = happenings.iter().filter(|it| it["happening"] == kind);
        of_kind.cloned().collect()
    }
}

/// Sorts what it prints into answers and happenings until it ends.
async fn listen(name: &'static str, stdout: ChildStdout, said: Arc<Said>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(mut line) = serde_json::from_str::<Value>(&line) else {
            eprintln!("{name}: {line}");
            continue;
        };
        let Some(number) = line["id"].as_u64() else {
            said.happenings.lock().unwrap().push(line);
            said.more.notify_waiters();
            continue;
        };
        let answer = match line["error"].take() {
            Value::String(error) => Err(error),
            _ => Ok(line["answer"].take()),
        };
        if let Some(sender) = said.answers.lock().unwrap().remove(&number) {
            drop(sender.send(answer));
        }
    }
    // Whoever still waits is told that it ended.
    said.answers.lock().unwrap().clear();
}
