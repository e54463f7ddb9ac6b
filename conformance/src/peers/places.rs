//! Where things are in the repository.

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in a folder of the repository")
}

/// The folder of a peer.
pub(super) fn peer(name: &str) -> PathBuf {
    root().join("bench/peers").join(name)
}

/// Cargo's target folder.
pub(super) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program of the proxies' Python environment.
pub(super) fn proxy(name: &str) -> PathBuf {
    target().join("proxies/bin").join(name)
}
