//! The official Rust port of BullMQ: a package of its own, with a lock file and a target folder of its own.

use std::path::PathBuf;

use crate::process::cargo;
use crate::workspace;

/// The package.
const FOLDER: &str = "crates/jobs/tests/interop/rust";

/// Where its program is.
pub(super) fn program() -> PathBuf {
    target().join("debug").join("interop-rust")
}

/// Whether its lock file's packages were built before.
pub(super) fn is_current() -> bool {
    let built = std::fs::read(stamp());
    let wanted = std::fs::read(workspace::root().join(FOLDER).join("Cargo.lock"));
    matches!((built, wanted), (Ok(built), Ok(wanted)) if built == wanted) && program().is_file()
}

/// Builds what is not built yet.
pub(super) fn build() -> Result<(), String> {
    let folder = workspace::root().join(FOLDER);
    cargo(&["build", "--quiet", "--locked", "--manifest-path"])
        .arguments(&[folder.join("Cargo.toml")])
        .arguments(&["--target-dir"])
        .arguments(&[target()])
        .run()?;
    std::fs::copy(folder.join("Cargo.lock"), stamp())
        .map(|_| ())
        .map_err(|error| format!("the mark of what is built could not be written: {error}"))
}

fn target() -> PathBuf {
    workspace::target().join("interop-rust")
}

/// A copy of the lock file that was built.
fn stamp() -> PathBuf {
    target().join("Cargo.lock")
}
