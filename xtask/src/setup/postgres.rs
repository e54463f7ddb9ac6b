//! `PostgreSQL` as Debian has it: programs in a folder of the version's, not on the PATH.

use std::path::Path;

use super::debian;

/// Whether a cluster can be made.
pub(super) fn is_installed() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let has_initdb = |folder: &Path| folder.join("bin/initdb").is_file();
    versions
        .filter_map(Result::ok)
        .any(|entry| has_initdb(&entry.path()))
        || debian::on_path("initdb")
}
