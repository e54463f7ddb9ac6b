//! Suites that are `cargo test` with a choice of targets. All of them select the whole workspace, so
//! that features unify alike and everything is built once.

use crate::process::{Program, cargo};
use crate::setup;

/// How long each fuzz body is fed, in seconds.
const FUZZ_SECONDS: &str = "3";

/// Tests beside the code.
pub(super) fn unit() -> Result<(), String> {
    let mut tests = test(&["--lib", "--bins"]);
    tests.variable("PACELINE_BOTOCORE", setup::botocore_python());
    tests.run()
}

/// Each crate's `tests/it`, the real binary's among them.
pub(super) fn black_box() -> Result<(), String> {
    let mut tests = test(&["--test", "it"]);
    tests.variable("PACELINE_AIOSMTPD", setup::python_program("aiosmtpd"));
    tests.variable("PACELINE_PGBOUNCER_1_24", setup::new_pgbouncer());
    tests.run()
}

/// Names of the black-box tests that a `PostgreSQL` takes part in, or parts of them.
const ON_POSTGRES: [&str; 8] = [
    "engines::",
    "pool::",
    "postgres::",
    "relations::",
    "sql::",
    "versions::",
    "writes::",
    "writing::",
];

/// The same tests on a newer `PostgreSQL`, as far as one takes part.
pub(super) fn newer_postgres() -> Result<(), String> {
    let mut tests = test(&["--test", "it"]);
    tests.variable("PACELINE_POSTGRES_BIN", setup::new_postgres());
    tests.variable("PACELINE_PGBOUNCER_1_24", setup::new_pgbouncer());
    tests.arguments(&["--"]).arguments(&ON_POSTGRES);
    tests.run()
}

/// The jobs crate on one Redis with BullMQ for Node, for Python and for Rust, and Bull Board; and the doubles of vendors'
/// servers under the vendors' clients.
pub(super) fn interop() -> Result<(), String> {
    let mut tests = test(&["--test", "interop", "--features", "paceline-jobs/redis"]);
    tests.variable("PACELINE_INTEROP_PYTHON", setup::interop_python());
    tests.variable("PACELINE_INTEROP_RUST", setup::interop_rust()?);
    tests.run()
}

/// schemathesis against services over servers.
pub(super) fn api() -> Result<(), String> {
    let mut tests = test(&["--test", "api"]);
    let schemathesis = setup::python_program("schemathesis");
    tests.variable("PACELINE_SCHEMATHESIS", schemathesis);
    tests.run()
}

/// Functions under real emulators of AWS Lambda.
pub(super) fn lambda() -> Result<(), String> {
    let mut tests = test(&["--test", "emulators"]);
    tests.variable("PACELINE_RIE", setup::lambda_rie());
    tests.variable("PACELINE_CARGO_LAMBDA", setup::cargo_lambda());
    tests.run()
}

/// Producers, workers and Redis, killed. `PACELINE_CHAOS_ROUNDS` says how often.
pub(super) fn chaos() -> Result<(), String> {
    test(&["--test", "chaos"]).run()
}

/// The fuzz targets' bodies on random input.
pub(super) fn fuzz_bodies() -> Result<(), String> {
    let mut tests = test(&["--test", "bodies"]);
    tests.variable("PACELINE_FUZZ_SECONDS", FUZZ_SECONDS);
    tests.run()
}

fn test(targets: &[&str]) -> Program {
    let mut program = cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"]);
    program.arguments(targets);
    program
}
