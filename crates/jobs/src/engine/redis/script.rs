//! The scripts, and how one is called. Each file in `scripts/` is one script or a part that several share.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};

/// A script with the hash the server knows it by.
pub(super) struct Script {
    source: &'static str,
    hash: String,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self {
            source,
            hash: redis::Script::new(source).get_hash().to_owned(),
        }
    }

    /// Makes the server know it.
    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(self.source);
        load
    }
}

macro_rules! scripts {
    ($($name:ident = $($part:literal)+;)+) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!($(include_str!(concat!("scripts/", $part, ".lua")), "\n",)+))
        });)+
    };
}

scripts! {
    BOUNDS = "queue" "bounds";
    BULK = "queue" "parents" "insert" "bulk";
    CHANGE = "queue" "change";
    FLOW = "queue" "parents" "insert" "flow";
    SCHEDULE = "queue" "parents" "insert" "slots" "schedule";
    SCHEDULERS = "queue" "slots" "schedulers";
    SEARCH = "queue" "show" "search";
    ADD = "queue" "parents" "insert" "add";
    CLAIM = "queue" "claim";
    EVENTS = "events";
    EXPIRE = "queue" "parents" "expire";
    FINISH = "queue" "parents" "insert" "finish";
    IMPORT = "queue" "parents" "insert" "import";
    INFO = "queue" "info";
    LOG = "log";
    MANAGE = "queue" "parents" "insert" "manage";
    PAUSE = "queue" "pause";
    PROGRESS = "queue" "progress";
    READ = "queue" "show" "read";
    RENEW = "renew";
    UNSCHEDULE = "queue" "parents" "slots" "unschedule";
    STALLED = "queue" "stalled";
}

/// A call of a script on one queue.
pub(super) struct Call {
    pub(super) script: &'static Script,
    pub(super) command: Cmd,
}

impl Call {
    pub(super) fn new(script: &'static LazyLock<Script>, base: &str) -> Self {
        let script: &'static Script = script;
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash).arg(1).arg(base);
        Self { script, command }
    }

    pub(super) fn arg(mut self, value: impl ToRedisArgs) -> Self {
        self.command.arg(value);
        self
    }

    pub(super) fn push(&mut self, value: impl ToRedisArgs) -> &mut Self {
        self.command.arg(value);
        self
    }
}
