//! `cargo xtask conformance`: builds the peers, asks everybody the cases and writes `conformance/RESULTS.md`.

use std::process::ExitCode;

use crate::bench::Profile;
use crate::process::cargo;
use crate::{bench, setup, workspace};

/// Peers in Rust: packages of their own under `bench/peers`.
pub(crate) const RUST_PEERS: [&str; 2] = ["salvo", "tower-http"];

/// Everything from the set-up to the table; the arguments are handed on.
pub(crate) fn run(arguments: &[String], yes: bool) -> ExitCode {
    if let Err(problem) = setup::provide(&setup::CONFORMANCE_NEEDS, yes) {
        eprintln!("xtask: {problem}");
        return ExitCode::from(2);
    }
    match build().and_then(|()| ask(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    RUST_PEERS
        .iter()
        .try_for_each(|name| bench::peer(name, Profile::Dev).run())
}

fn ask(arguments: &[String]) -> Result<(), String> {
    let mut table = cargo(&[
        "run",
        "--quiet",
        "--package",
        "paceline-conformance",
        "--",
        "table",
        "--out",
    ]);
    table
        .arguments(&[workspace::root().join("conformance/RESULTS.md")])
        .arguments(arguments);
    table.run()
}
