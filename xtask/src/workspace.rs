//! Where things are.

use std::path::{Path, PathBuf};

use crate::process::Program;

/// The folder of the root `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}

/// Where cargo builds; what the set-up makes (the Python environment) lies here too.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The tracked files and those about to be, relative to [`root`].
pub(crate) fn files() -> Result<Vec<PathBuf>, String> {
    let listing = Program::new("git")
        .arguments(&[
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .folder(root())
        .output()?;
    let mut files: Vec<PathBuf> = listing.split_terminator('\0').map(PathBuf::from).collect();
    files.sort();
    files.dedup();
    files.retain(|file| root().join(file).is_file());
    Ok(files)
}
