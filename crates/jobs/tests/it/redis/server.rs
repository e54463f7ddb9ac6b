//! A real server on a free port, with a folder of its own. Stopped when the last test lets go of it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    child: Mutex<Option<Child>>,
    port: u16,
    folder: TempDir,
    /// Settings beside the usual ones.
    more: Vec<String>,
}

impl Server {
    /// Starts one that keeps every answered change.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// Starts one with more settings, which may depend on its folder.
    pub(crate) fn start_with(more: impl Fn(&Path) -> Vec<String>) -> Self {
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let server = Self {
                child: Mutex::new(None),
                port: free_port(),
                more: more(folder.path()),
                folder,
            };
            if server.run() {
                return server;
            }
        }
        panic!("redis-server found no free port in ten attempts");
    }

    /// The one shared by the tests that change nothing about it.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    /// Runs it, again with what it kept if it ran before. False when it did not come up.
    pub(crate) fn run(&self) -> bool {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--save", "", "--databases", "1"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.more)
            .stdout(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("these tests need a Redis server (Debian package redis-server): {error}")
        });
        *self.child.lock().unwrap() = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let pong = self
                .client()
                .get_connection()
                .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
            if pong.is_ok() {
                return true;
            }
            let gone = |child: &mut Child| child.try_wait().unwrap().is_some();
            if self.child.lock().unwrap().as_mut().is_none_or(gone) {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        false
    }

    /// Ends it without warning.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// A connection of the test's own, as another program has it.
    pub(crate) fn connection(&self) -> redis::Connection {
        self.client().get_connection().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free just now, far enough below the end for the port of a cluster's bus beside it.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 55_000 {
            return port;
        }
    }
}
