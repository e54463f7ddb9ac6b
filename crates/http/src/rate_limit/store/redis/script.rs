//! The scripts, and how one is called. Each algorithm is a file of its own; a script has those that its call needs.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};

use super::super::super::Algorithm;

/// A script with the hash the server knows it by.
#[derive(Debug)]
pub(super) struct Script {
    source: String,
    hash: String,
}

impl Script {
    fn new(source: String) -> Self {
        Self {
            hash: redis::Script::new(&source).get_hash().to_owned(),
            source,
        }
    }

    /// Makes the server know it.
    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(&self.source);
        load
    }
}

/// What is done to the counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    Reserve,
    Settle,
}

/// The algorithms, in the order of their bits in a [`Variant`].
const PARTS: [(Algorithm, &str); 3] = [
    (
        Algorithm::FixedWindow,
        include_str!("scripts/fixed_window.lua"),
    ),
    (
        Algorithm::SlidingWindow,
        include_str!("scripts/sliding_window.lua"),
    ),
    (Algorithm::Gcra, include_str!("scripts/gcra.lua")),
];
const VARIANTS: usize = 1 << PARTS.len();

/// Which algorithms a script knows. One that knew them all would define them anew with each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Variant(usize);

impl Variant {
    fn of(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let bit = |algorithm| PARTS.iter().position(|(known, _)| *known == algorithm);
        let bits = algorithms.into_iter().filter_map(bit);
        Self(bits.fold(0, |set, bit| set | 1 << bit))
    }

    fn script(self, own: &str) -> Script {
        let known = PARTS.iter().enumerate();
        let known = known.filter(|(bit, _)| self.0 & 1 << bit != 0);
        let mut source = include_str!("scripts/time.lua").to_owned();
        source.extend(known.map(|(_, (_, part))| *part));
        source.push_str(own);
        Script::new(source)
    }
}

static RESERVE: LazyLock<[Script; VARIANTS]> = LazyLock::new(|| {
    std::array::from_fn(|set| Variant(set).script(include_str!("scripts/reserve.lua")))
});
static SETTLE: LazyLock<[Script; VARIANTS]> = LazyLock::new(|| {
    std::array::from_fn(|set| Variant(set).script(include_str!("scripts/settle.lua")))
});

/// A call of a script.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) script: &'static Script,
    pub(super) command: Cmd,
}

impl Call {
    /// On these keys, all of one client (they lie in one slot of a cluster), counted by these algorithms.
    pub(super) fn new(
        task: Task,
        keys: &[String],
        algorithms: impl IntoIterator<Item = Algorithm>,
    ) -> Self {
        let Variant(set) = Variant::of(algorithms);
        let script: &'static Script = match task {
            Task::Reserve => &RESERVE[set],
            Task::Settle => &SETTLE[set],
        };
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash).arg(keys.len()).arg(keys);
        Self { script, command }
    }

    pub(super) fn push(&mut self, value: impl ToRedisArgs) {
        self.command.arg(value);
    }
}
