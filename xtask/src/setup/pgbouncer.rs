//! A `PgBouncer` that follows prepared statements, beside Debian 12's, which does not.

use super::unpacked::Unpacked;

/// 1.24, of Debian 13.
pub(super) const NEW: Unpacked = Unpacked {
    folder: "pgbouncer-1.24",
    packages: &[
        "pgbouncer",
        "libc6",
        "libaudit1",
        "libcap-ng0",
        "libcap2",
        "libcares2",
        "libevent-2.1-7t64",
        "libgcc-s1",
        "libldap2",
        "libpam0g",
        "libsasl2-2",
        "libssl3t64",
        "libsystemd0",
        "libzstd1",
        "zlib1g",
    ],
    programs: "usr/sbin",
    first: "pgbouncer",
    unwanted: &[],
    otherwise: "unpack PgBouncer 1.24 yourself and name it in PACELINE_PGBOUNCER_1_24",
};
