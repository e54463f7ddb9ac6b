//! Whether a program runs on `provided.al2023`.

use super::elf::{Linkage, Program, Version};
use crate::deployment::Architecture;

/// The GNU C library of Amazon Linux 2023.
pub const AL2023_GLIBC: Version = Version {
    major: 2,
    minor: 34,
};

/// Libraries of the runtime's image that programs may ask for: the C library's own, and the compiler's.
const LIBRARIES: [&str; 12] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libresolv.so.2",
    "libutil.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libanl.so.1",
];

/// Why a program cannot run there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It is for another processor.
    #[error(
        "it was built for {}, and the function is {wanted}: build it for {}, or give --architecture of what it is",
        .found.unwrap_or("a processor that Lambda does not have"),
        target(.wanted)
    )]
    Architecture {
        /// What it was built for.
        found: Option<&'static str>,
        /// What the function has.
        wanted: &'static str,
    },
    /// It asks for a newer C library.
    #[error(
        "it needs glibc {found}, and provided.al2023 has {AL2023_GLIBC}: build it against an older one (cargo zigbuild --target \
         TARGET.{AL2023_GLIBC}), for musl, or on a system like Debian 12"
    )]
    Glibc {
        /// What it asks for.
        found: Version,
    },
    /// Its loader is not there.
    #[error("it is started by {0}, which provided.al2023 does not have: link it statically")]
    Loader(String),
}

fn target(architecture: &str) -> &'static str {
    if architecture == "arm64" {
        "aarch64-unknown-linux-gnu"
    } else {
        "x86_64-unknown-linux-gnu"
    }
}

/// Whether it runs on `provided.al2023` on that processor.
pub fn judge(program: &Program, wanted: Architecture) -> Result<(), Unfit> {
    if program.architecture != Some(wanted) {
        return Err(Unfit::Architecture {
            found: program.architecture.map(Architecture::name),
            wanted: wanted.name(),
        });
    }
    let Linkage::Dynamic { loader, glibc, .. } = &program.linkage else {
        return Ok(());
    };
    let expected = match wanted {
        Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
    };
    if loader != expected {
        return Err(Unfit::Loader(loader.clone()));
    }
    match glibc {
        Some(found) if *found > AL2023_GLIBC => Err(Unfit::Glibc { found: *found }),
        _ => Ok(()),
    }
}

/// Libraries that the runtime's image is not known to have: a layer must bring them.
pub fn unknown_libraries(program: &Program) -> Vec<&str> {
    match &program.linkage {
        Linkage::Static => Vec::new(),
        Linkage::Dynamic { libraries, .. } => libraries
            .iter()
            .map(String::as_str)
            .filter(|library| !LIBRARIES.contains(library))
            .collect(),
    }
}
