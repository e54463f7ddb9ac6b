//! npm packages of a folder with a lock file.

use std::path::Path;

use crate::process::Program;
use crate::workspace;

/// Whether the folder's packages are those of its lock file.
pub(super) fn is_current(folder: &str) -> bool {
    let folder = workspace::root().join(folder);
    let installed = std::fs::read(stamp(&folder));
    let wanted = std::fs::read(folder.join("package-lock.json"));
    matches!((installed, wanted), (Ok(installed), Ok(wanted)) if installed == wanted)
}

/// Installs what the lock file names and leaves it as it is. Native parts are compiled when no ready one is
/// found. Not `npm ci`: it refuses a lock file without addresses that leaves out packages of other platforms.
pub(super) fn install(folder: &str) -> Result<(), String> {
    let folder = workspace::root().join(folder);
    Program::new("npm")
        .arguments(&[
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .folder(&folder)
        .run()?;
    std::fs::copy(folder.join("package-lock.json"), stamp(&folder))
        .map(|_| ())
        .map_err(|error| format!("the mark of what is installed could not be written: {error}"))
}

/// A copy of the lock file that was installed.
fn stamp(folder: &Path) -> std::path::PathBuf {
    folder.join("node_modules").join(".installed-lock.json")
}
