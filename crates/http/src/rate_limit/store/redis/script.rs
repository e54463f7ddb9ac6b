//! The script that decides. Each algorithm is a file of its own.

use std::sync::LazyLock;

use redis::Cmd;

use super::super::super::Algorithm;

const SOURCE: &str = concat!(
    include_str!("scripts/begin.lua"),
    include_str!("scripts/fixed_window.lua"),
    include_str!("scripts/sliding_window.lua"),
    include_str!("scripts/gcra.lua"),
    include_str!("scripts/finish.lua"),
);

/// The hash the server knows it by.
pub(super) fn hash() -> &'static str {
    static SCRIPT: LazyLock<redis::Script> = LazyLock::new(|| redis::Script::new(SOURCE));
    SCRIPT.get_hash()
}

/// Makes the server know it.
pub(super) fn load() -> Cmd {
    let mut load = redis::cmd("SCRIPT");
    load.arg("LOAD").arg(SOURCE);
    load
}

/// The number of an algorithm in it.
pub(super) const fn number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::FixedWindow => 1,
        Algorithm::SlidingWindow => 2,
        Algorithm::Gcra => 3,
    }
}
