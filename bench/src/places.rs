//! Where things are.

use std::path::{Path, PathBuf};

/// A path within `bench/`.
pub(crate) fn bench(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folder cargo builds into.
pub(crate) fn target() -> PathBuf {
    let root = bench("..");
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// The product's release binary.
pub(crate) fn paceline() -> PathBuf {
    target().join("release/paceline")
}

/// The binary of a peer in Rust, which is a package of its own under `bench/peers`.
pub(crate) fn peer(name: &str) -> PathBuf {
    target().join("peers/release").join(name)
}

/// The `PocketBase` binary that the set-up installed.
pub(crate) fn pocketbase() -> PathBuf {
    target().join("pocketbase/bin/pocketbase")
}
