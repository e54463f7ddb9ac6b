//! Noticing what other processes wrote: polls `PRAGMA data_version` on a connection of its own, and only
//! while some worker of this process is idle. The poll starts at 1 ms and slows to 5 ms when nothing
//! happens, so an idle worker sees another process's add within about 5 ms.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::engine::WakeBoard;

const FASTEST: Duration = Duration::from_millis(1);
const SLOWEST: Duration = Duration::from_millis(5);
/// How often a parked poller looks whether its engine is gone.
const PARKED: Duration = Duration::from_secs(1);

/// Runs until the board is gone. Unparked when a worker goes idle.
pub(super) fn run(connection: &Connection, board: &Weak<WakeBoard>) {
    let mut seen = None;
    let mut pause = FASTEST;
    while let Some(board) = board.upgrade() {
        if !board.has_idle_worker() {
            drop(board);
            thread::park_timeout(PARKED);
            pause = FASTEST;
            continue;
        }
        let version = data_version(connection);
        if version == seen && version.is_some() {
            pause = slower(pause);
        } else {
            seen = version;
            pause = FASTEST;
            wake(&board);
        }
        drop(board);
        thread::sleep(pause);
    }
}

fn wake(board: &Arc<WakeBoard>) {
    board.wake_all();
}

fn data_version(connection: &Connection) -> Option<i64> {
    connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut pragma| pragma.query_row([], |row| row.get(0)))
        .ok()
}

fn slower(pause: Duration) -> Duration {
    (pause + pause / 16).min(SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poll_slows_down_to_its_bound() {
        let mut pause = FASTEST;
        for _ in 0..100 {
            pause = slower(pause);
        }
        assert_eq!(pause, SLOWEST);
    }
}
