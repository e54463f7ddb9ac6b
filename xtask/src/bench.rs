//! `cargo xtask bench`: builds what takes part, sees that the peers are there, and measures.

use std::process::ExitCode;

use crate::process::{Program, cargo};
use crate::{conformance, setup, workspace};

/// Peers in Rust: packages of their own under `bench/peers`, never part of the workspace.
const RUST_PEERS: [&str; 2] = ["bullmq-official", "apalis-sqlite"];

/// The other pools, likewise.
const POOLS_PEER: &str = "pools";

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
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent parts, each asked for or not"
)]
struct Asked {
    /// Anything about jobs.
    jobs: bool,
    /// Anything about the layers alone.
    layers: bool,
    /// The pool.
    pool: bool,
    /// Anything about the server on PostgreSQL.
    postgres: bool,
    /// Anything about the server on `MariaDB`.
    mariadb: bool,
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
            layers: true,
            pool: true,
            postgres: true,
            mariadb: true,
            http: true,
        };
    };
    let about_jobs = |name: &str| name.starts_with("jobs");
    let about_layers = |name: &str| name.starts_with("layers");
    let about_pool = |name: &str| name.starts_with("pool");
    let about_postgres = |name: &str| name.starts_with("postgres");
    let about_mariadb = |name: &str| name.starts_with("mariadb");
    Asked {
        jobs: names.split(',').any(about_jobs),
        layers: names.split(',').any(about_layers),
        pool: names.split(',').any(about_pool),
        postgres: names.split(',').any(about_postgres),
        mariadb: names.split(',').any(about_mariadb),
        http: !names.split(',').all(|name| {
            about_jobs(name)
                || about_layers(name)
                || about_pool(name)
                || about_postgres(name)
                || about_mariadb(name)
        }),
    }
}

fn provide(asked: Asked, yes: bool) -> Result<(), String> {
    let mut needs = Vec::new();
    if asked.jobs {
        needs.extend(setup::JOBS_BENCH_NEEDS);
    }
    if asked.layers {
        needs.extend(setup::LAYERS_BENCH_NEEDS);
    }
    if asked.pool || asked.postgres {
        needs.push(setup::Need::Postgres);
    }
    if asked.mariadb {
        needs.push(setup::Need::MariaDb);
    }
    if asked.postgres || asked.mariadb {
        needs.extend(setup::REMOTE_BENCH_NEEDS);
    }
    if asked.http {
        needs.extend(setup::BENCH_NEEDS);
    }
    needs.sort_unstable();
    needs.dedup();
    setup::provide(&needs, yes)
}

fn build(asked: Asked) -> Result<(), String> {
    let mut ours = cargo(&["build", "--release", "--package", "paceline-bench"]);
    if asked.http || asked.postgres || asked.mariadb {
        ours.arguments(&["--package", "paceline"]);
    }
    if asked.layers {
        ours.arguments(&["--package", "paceline-conformance"]);
    }
    ours.run()?;
    if asked.layers {
        conformance::RUST_PEERS
            .iter()
            .try_for_each(|name| peer(name, Profile::Release).run())?;
    }
    if asked.pool {
        peer(POOLS_PEER, Profile::Release).run()?;
    }
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
    fn what_is_provided_and_built_follows_from_the_rows() {
        for (line, jobs, layers, pool, postgres, mariadb, http) in [
            ("", true, true, true, true, true, true),
            (
                "--quick --rows list,export",
                false,
                false,
                false,
                false,
                false,
                true,
            ),
            (
                "--rows jobs-add --quick",
                true,
                false,
                false,
                false,
                false,
                false,
            ),
            ("--rows jobs,list", true, false, false, false, false, true),
            (
                "--rows layers-304,jobs",
                true,
                true,
                false,
                false,
                false,
                false,
            ),
            ("--rows pool", false, false, true, false, false, false),
            (
                "--rows postgres-list,pool",
                false,
                false,
                true,
                true,
                false,
                false,
            ),
            ("--rows mariadb", false, false, false, false, true, false),
        ] {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let expected = Asked {
                jobs,
                layers,
                pool,
                postgres,
                mariadb,
                http,
            };
            assert_eq!(asked(&words), expected, "{line}");
        }
    }
}
