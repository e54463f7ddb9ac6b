//! Packages of Debian and its children.

use crate::process::Program;

/// Whether a program of that name is on the PATH.
pub(super) fn on_path(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
}

/// Whether a program of that name is on the PATH or among the administrator's, where Debian has its servers.
pub(super) fn is_installed(server: &str) -> bool {
    on_path(server) || std::path::Path::new("/usr/sbin").join(server).is_file()
}

/// Installs with apt-get; refreshes the package lists and tries once more when that fails.
///
/// A server that comes with a package is not started: the tests start their own.
pub(super) fn install(packages: &[&str]) -> Result<(), String> {
    if !on_path("apt-get") {
        return Err(format!(
            "there is no apt-get here; install {} yourself",
            packages.join(", ")
        ));
    }
    let attempt = || {
        apt_get()
            .arguments(&["install", "--yes", "--no-install-recommends", "-qq"])
            .arguments(packages)
            .run()
    };
    attempt().or_else(|_| {
        apt_get().arguments(&["update", "-qq"]).run()?;
        attempt()
    })
}

fn apt_get() -> Program {
    let is_root = Program::new("id")
        .arguments(&["-u"])
        .output()
        .is_ok_and(|id| id.trim() == "0");
    let mut program = if is_root {
        Program::new("apt-get")
    } else {
        Program::new("sudo")
    };
    if !is_root {
        program.arguments(&["-n", "apt-get"]);
    }
    program
        .variable("DEBIAN_FRONTEND", "noninteractive")
        .variable("RUNLEVEL", "1");
    program
}
