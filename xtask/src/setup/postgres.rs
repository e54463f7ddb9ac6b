//! `PostgreSQL` as Debian has it: programs in a folder of the version's, not on the PATH; and a newer one beside it.

use std::path::Path;

use super::debian;
use super::unpacked::Unpacked;

/// 17, of Debian 13.
pub(super) const NEW: Unpacked = Unpacked {
    folder: "postgresql-17",
    packages: &[
        "postgresql-17",
        "postgresql-client-17",
        "libaudit1",
        "libc6",
        "libcap-ng0",
        "libcap2",
        "libcom-err2",
        "libgcc-s1",
        "libgssapi-krb5-2",
        "libicu76",
        "libk5crypto3",
        "libkeyutils1",
        "libkrb5-3",
        "libkrb5support0",
        "libldap2",
        "liblz4-1",
        "liblzma5",
        "libpam0g",
        "libpq5",
        "libreadline8t64",
        "libsasl2-2",
        "libssl3t64",
        "libstdc++6",
        "libsystemd0",
        "libtinfo6",
        "libxml2",
        "libxxhash0",
        "libzstd1",
        "zlib1g",
    ],
    programs: "usr/lib/postgresql/17/bin",
    first: "postgres",
    // It needs LLVM, some hundred MB; a server that does not find it compiles nothing.
    unwanted: &["usr/lib/postgresql/17/lib/llvmjit.so"],
    otherwise: "unpack PostgreSQL 17 yourself and run `cargo test` with its bin folder in PACELINE_POSTGRES_BIN",
};

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
