//! A real Redis on a free port, its files in a temporary folder; gone with the test.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    child: Mutex<Option<Child>>,
    port: u16,
    folder: TempDir,
    /// Whether it can be a node of a cluster.
    is_node: bool,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_as(false)
    }

    /// One that knows no slot and no other node yet.
    pub(crate) fn start_node() -> Self {
        Self::start_as(true)
    }

    fn start_as(is_node: bool) -> Self {
        for _ in 0..10 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let server = Self {
                child: Mutex::new(None),
                port,
                folder: tempfile::tempdir().unwrap(),
                is_node,
            };
            if server.run() {
                return server;
            }
        }
        panic!("redis-server found no free port in ten attempts");
    }

    /// The one shared by the tests that do nothing to it.
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

    /// Runs it, with whatever it kept if it ran before. False when it did not come up.
    pub(crate) fn run(&self) -> bool {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .args(["--cluster-enabled", if self.is_node { "yes" } else { "no" }])
            .args(["--enable-debug-command", "yes", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("these tests need a Redis server (Debian package redis-server): {error}")
        });
        *self.child.lock().unwrap() = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Ok(mut connection) = self.client().get_connection()
                && redis::cmd("PING").query::<String>(&mut connection).is_ok()
            {
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

    fn client(&self) -> redis::Client {
        redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }

    /// A connection of the test's own, as another program has it.
    pub(crate) fn connection(&self) -> redis::Connection {
        self.client().get_connection().unwrap()
    }

    /// Options of a patient client whose keys nobody else has.
    pub(crate) fn options(&self, prefix: &str) -> RedisOptions {
        RedisOptions::new(format!("redis://127.0.0.1:{}", self.port))
            .prefix(prefix)
            .deadline(Duration::from_secs(20))
            .rest(Duration::from_millis(100))
    }

    pub(crate) fn store(&self, prefix: &str) -> RedisStore {
        RedisStore::new(&self.options(prefix)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
