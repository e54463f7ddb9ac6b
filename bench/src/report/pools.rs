//! The table of pools.

use std::fmt::Write;

use super::text::number;
use crate::pool::{LOADS, OURS, rate_of, ratio_to};
use crate::results::Results;

/// Who is in it; the first is compared with the others.
const CONTENDERS: [&str; 6] = [
    OURS,
    "a bare connection each",
    "a lease of Paceline's held by each",
    "deadpool, unchecked",
    "deadpool, checked",
    "bb8, checked (its default)",
];

const ABOUT: &str = "\
A connection is taken from the pool, asked `SELECT 1` (unnamed), and given back, on one private PostgreSQL. All contenders \
are in one process, on one driver, and keep their connections; they take turns of 100 ms, each round beginning with another \
one. A rate is the median of a contender's turns; a ratio is that of our turn and its turn in the same round, and the median \
of all rounds, so that what the machine does besides falls on both. With 32 clients on 8 connections three of four wait. \
Checked pools ask the server before they lend a connection; ours does so only after a second of idleness or after a freeze.";

pub(super) fn pools(text: &mut String, results: &Results) {
    if results.value(&rate_of(LOADS[0], OURS)).is_none() {
        return;
    }
    let _ = write!(text, "## Pools\n\n{ABOUT}\n\n| contender |");
    for (clients, size) in LOADS {
        let _ = write!(text, " {clients} on {size}, questions/s | ours / it |");
    }
    text.push_str("\n|---|---:|---:|---:|---:|---:|---:|\n");
    for name in CONTENDERS {
        let _ = write!(text, "| {name} |");
        for load in LOADS {
            let value = |figure: &str| results.value(figure).map_or("-".to_owned(), number);
            let (rate, ratio) = (value(&rate_of(load, name)), value(&ratio_to(load, name)));
            let _ = write!(text, " {rate} | {ratio} |");
        }
        text.push('\n');
    }
    text.push('\n');
}
