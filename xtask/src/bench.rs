//! `cargo xtask bench`: builds what takes part, sees that the peers are there, and measures.

use std::process::ExitCode;

use crate::process::{Program, cargo};
use crate::{setup, workspace};

/// Peers in Rust: packages of their own under `bench/peers`, never part of the workspace.
const RUST_PEERS: [&str; 2] = ["bullmq-official", "apalis-sqlite"];

/// How a peer is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly: it is asked what it answers.
    Dev,
    /// To be measured.
    Release,
}

/// Which part of the measurements was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    /// Anything about jobs.
    jobs: bool,
    /// Anything else.
    http: bool,
}

/// Everything from the set-up to the report; the arguments are the driver's own.
pub(crate) fn run(arguments: &[String], yes: bool) -> ExitCode {
    let only_report = arguments.iter().any(|a| a == "--report-only");
    if !only_report {
        let asked = asked(arguments);
        if let Err(problem) = provide(asked, yes) {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
        if let Err(problem) = build(asked) {
            eprintln!("xtask: {problem}");
            return ExitCode::FAILURE;
        }
    }
    let mut driver = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "paceline-bench",
        "--",
    ]);
    driver.arguments(arguments);
    match driver.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Rows of jobs have names that begin so; no names mean all rows.
fn asked(arguments: &[String]) -> Asked {
    let mut after = arguments
        .iter()
        .skip_while(|argument| *argument != "--rows");
    let Some(names) = after.nth(1) else {
        return Asked {
            jobs: true,
            http: true,
        };
    };
    let about_jobs = |name: &str| name.starts_with("jobs");
    Asked {
        jobs: names.split(',').any(about_jobs),
        http: !names.split(',').all(about_jobs),
    }
}

fn provide(asked: Asked, yes: bool) -> Result<(), String> {
    if asked.http {
        setup::provide(&setup::BENCH_NEEDS, yes)
    } else {
        setup::provide(&setup::JOBS_BENCH_NEEDS, yes)
    }
}

fn build(asked: Asked) -> Result<(), String> {
    let mut ours = cargo(&["build", "--release", "--package", "paceline-bench"]);
    if asked.http {
        ours.arguments(&["--package", "paceline"]);
    }
    ours.run()?;
    if asked.jobs {
        RUST_PEERS
            .iter()
            .try_for_each(|name| peer(name, Profile::Release).run())?;
    }
    Ok(())
}

/// Builds a peer in Rust into `target/peers`.
pub(crate) fn peer(name: &str, profile: Profile) -> Program {
    let manifest = workspace::root().join("bench/peers").join(name);
    let mut program = cargo(&["build", "--locked", "--manifest-path"]);
    program
        .arguments(&[manifest.join("Cargo.toml")])
        .arguments(&["--target-dir"])
        .arguments(&[workspace::target().join("peers")]);
    if profile == Profile::Release {
        program.arguments(&["--release"]);
    }
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_of_jobs_are_built_when_a_row_of_jobs_is_asked_for() {
        for (line, jobs, http) in [
            ("", true, true),
            ("--quick --rows list,export", false, true),
            ("--rows jobs-add --quick", true, false),
            ("--rows jobs,list", true, true),
        ] {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(asked(&words), Asked { jobs, http }, "{line}");
        }
    }
}
