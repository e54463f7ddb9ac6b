//! The scripts, and how one is called. Each algorithm is a file of its own, which both scripts share.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};

/// A script with the hash the server knows it by.
#[derive(Debug)]
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

macro_rules! script {
    ($name:ident, $own:literal) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("scripts/time.lua"),
                include_str!("scripts/fixed_window.lua"),
                include_str!("scripts/sliding_window.lua"),
                include_str!("scripts/gcra.lua"),
                include_str!($own),
            ))
        });
    };
}

script!(RESERVE, "scripts/reserve.lua");
script!(SETTLE, "scripts/settle.lua");

/// A call of a script.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) script: &'static Script,
    pub(super) command: Cmd,
}

impl Call {
    /// On these keys, all of one client: they lie in one slot of a cluster.
    pub(super) fn new(script: &'static LazyLock<Script>, keys: &[String]) -> Self {
        let script: &'static Script = script;
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash).arg(keys.len()).arg(keys);
        Self { script, command }
    }

    pub(super) fn push(&mut self, value: impl ToRedisArgs) {
        self.command.arg(value);
    }
}
