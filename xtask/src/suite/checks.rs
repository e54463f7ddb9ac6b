//! Suites that read the sources and run nothing of the product.

use crate::metadata::Metadata;
use crate::process::cargo;

/// `cargo fmt` would change nothing.
pub(super) fn format() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"]).run()
}

/// clippy and rustc have no warning, in tests and examples too.
pub(super) fn lint() -> Result<(), String> {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ])
    .run()
}

/// The rules of [`crate::tidy`].
pub(super) fn tidy() -> Result<(), String> {
    outcome(&crate::tidy::violations()?)
}

/// The rules of [`crate::architecture`].
pub(super) fn architecture() -> Result<(), String> {
    outcome(&crate::architecture::violations(&Metadata::read()?))
}

/// The documentation builds without a warning and its examples run.
pub(super) fn docs() -> Result<(), String> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.variable("RUSTDOCFLAGS", "-D warnings");
    doc.run()?;
    cargo(&["test", "--workspace", "--doc", "--quiet"]).run()
}

fn outcome(violations: &[String]) -> Result<(), String> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations.join("\n"))
    }
}
