//! The engine under test on a shared server, each under a prefix of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use paceline_jobs::{Clock, EngineHandle, ManualClock, RedisEngine, RedisOptions};

use super::server::Server;

/// An engine, its clock, and the server.
pub(crate) struct Store {
    pub(crate) engine: EngineHandle,
    clock: ManualClock,
    pub(crate) server: Arc<Server>,
    pub(crate) prefix: String,
}

impl Store {
    /// Whether it has groups, and keeps the exact place of a job that comes back into its line.
    pub(crate) const GROUPS: bool = false;
    pub(crate) const EXACT_PLACES: bool = false;
    /// Whether the holder of a lease that ended is believed until somebody recovered the job.
    pub(crate) const LATE_WORD_COUNTS: bool = false;

    /// How many events of adds are left of ten where room is for four entries: each add has two.
    pub(crate) const EVENTS_OF_FOUR: usize = 2;

    /// Forgets all but the newest entries of the queue `q`.
    pub(crate) fn keep_few_events(&self, entries: usize) {
        let entries = entries.to_string();
        let key = self.key("events");
        let _: i64 = self.command(&["XTRIM", &key, "MAXLEN", &entries]);
    }

    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(RedisOptions) -> RedisOptions) -> Self {
        let server = Server::shared();
        let clock = ManualClock::starting_at(1_800_000_000_000);
        let prefix = fresh_prefix();
        let options = change(options(&server, &prefix, clock.clone()));
        Self {
            engine: connect(options).into(),
            clock,
            server,
            prefix,
        }
    }

    /// An engine that forgives one lost lease.
    pub(crate) fn by_hand() -> Self {
        Self::with(|options| options.stall_limit(1))
    }

    /// Lets time pass, for the engine and for what the server holds for a time.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        let mut connection = self.server.connection();
        let pattern = format!("{}:*", self.prefix);
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query(&mut connection)
            .unwrap();
        for key in keys {
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut connection).unwrap();
            if left >= 0 {
                let left = left - i64::try_from(time.as_millis()).unwrap();
                redis::cmd("PEXPIRE")
                    .arg(&key)
                    .arg(left)
                    .exec(&mut connection)
                    .unwrap();
            }
        }
    }

    /// Another engine on the same queues, as another process would open it.
    pub(crate) fn second(&self) -> EngineHandle {
        connect(options(&self.server, &self.prefix, self.clock.clone())).into()
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// A key of the queue `q`.
    pub(crate) fn key(&self, suffix: &str) -> String {
        format!("{}:q:{suffix}", self.prefix)
    }

    /// Runs a command as another program would.
    pub(crate) fn command<T: redis::FromRedisValue>(&self, parts: &[&str]) -> T {
        let mut command = redis::cmd(parts[0]);
        command.arg(&parts[1..]);
        command.query(&mut self.server.connection()).unwrap()
    }
}

/// Upkeep happens when the test asks for it.
fn options(server: &Server, prefix: &str, clock: ManualClock) -> RedisOptions {
    RedisOptions::new(server.url())
        .prefix(prefix)
        .clock(clock)
        .sweep_every(Duration::from_hours(1))
}

fn fresh_prefix() -> String {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).unwrap();
    format!("t{:016x}", u64::from_be_bytes(bytes))
}

/// An engine on the real clock, and the server it needs.
pub(crate) fn open() -> (EngineHandle, Arc<Server>) {
    let server = Server::shared();
    let options = RedisOptions::new(server.url())
        .prefix(fresh_prefix())
        .sweep_every(Duration::from_millis(100));
    (connect(options).into(), server)
}

pub(crate) fn connect(options: RedisOptions) -> RedisEngine {
    wait_for(options.connect()).unwrap()
}

/// Waits for `future` from a place that is not asynchronous.
pub(crate) fn wait_for<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(future)
    };
    std::thread::scope(|scope| scope.spawn(wait).join().unwrap())
}
