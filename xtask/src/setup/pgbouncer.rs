//! The `PgBouncer` of the Debian release after this machine's, unpacked under the target folder with the libraries it
//! was built for; it runs beside the one that is installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::debian;
use crate::process::Program;
use crate::workspace;

/// The release it is taken from.
const RELEASE: &str = "trixie";

/// The program, the loader it is started with, and the libraries that both need.
const PACKAGES: [&str; 15] = [
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
];

/// Starts it, wherever it lies.
pub(super) fn program() -> PathBuf {
    folder().join("pgbouncer")
}

/// Whether it is there and runs.
pub(super) fn is_current() -> bool {
    program().is_file() && Program::new(program()).arguments(&["--version"]).succeeds()
}

/// Downloads the packages with apt-get, on lists and settings of its own: the machine's stay as they are.
pub(super) fn install() -> Result<(), String> {
    if !debian::on_path("apt-get") {
        return Err("there is no apt-get here; unpack PgBouncer 1.24 yourself and name it in PACELINE_PGBOUNCER_1_24".to_owned());
    }
    let folder = folder();
    // What a broken attempt left is in the way.
    let _ = fs::remove_dir_all(&folder);
    let apt = folder.join("apt");
    let downloads = apt.join("packages");
    for name in ["state/lists/partial", "cache/archives/partial", "packages"] {
        fs::create_dir_all(apt.join(name)).map_err(|error| written(&apt, &error))?;
    }
    let sources = apt.join("sources.list");
    let source = format!("deb [signed-by={KEYS}] {} {RELEASE} main\n", mirror()?);
    fs::write(&sources, source).map_err(|error| written(&sources, &error))?;
    apt_get(&apt).arguments(&["update", "-qq"]).run()?;
    apt_get(&apt)
        .arguments(&["download", "-qq"])
        .arguments(&PACKAGES)
        .folder(&downloads)
        .run()?;
    let root = folder.join("root");
    for package in fs::read_dir(&downloads).map_err(|error| written(&downloads, &error))? {
        let package = package.map_err(|error| written(&downloads, &error))?.path();
        Program::new("dpkg-deb")
            .arguments(&["-x".as_ref(), package.as_os_str(), root.as_os_str()])
            .run()?;
    }
    write_start(&root)?;
    // Lists of a whole release; nothing reads them again.
    fs::remove_dir_all(&apt).map_err(|error| written(&apt, &error))
}

/// The keys that Debian signs its releases with, the next one's among them.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where this machine gets Debian's packages.
fn mirror() -> Result<String, String> {
    let listing = Program::new("apt-get")
        .arguments(&[
            "indextargets",
            "--format",
            "$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)",
        ])
        .output()?;
    first_mirror(&listing).ok_or_else(|| "apt knows no mirror of Debian's main packages".to_owned())
}

/// The first mirror of a main component that is not one of security updates only.
fn first_mirror(listing: &str) -> Option<String> {
    listing.lines().find_map(|line| {
        let uri = line.strip_prefix("Debian main ")?.split(' ').next_back()?;
        (!uri.contains("security")).then(|| uri.to_owned())
    })
}

/// `apt-get` that knows nothing but the source and the folders below `apt`.
fn apt_get(apt: &Path) -> Program {
    let mut program = Program::new("apt-get");
    let set = |name: &str, value: &Path| format!("-oDir::{name}={}", value.display());
    program.arguments(&[
        set("Etc::SourceList", &apt.join("sources.list")),
        set("Etc::SourceParts", Path::new("/dev/null")),
        set("State", &apt.join("state")),
        set("State::status", Path::new("/dev/null")),
        set("Cache", &apt.join("cache")),
        // The download helper's account may not reach this folder.
        "-oAPT::Sandbox::User=root".to_owned(),
    ]);
    program
}

/// A script that starts it with its own loader and libraries.
fn write_start(root: &Path) -> Result<(), String> {
    let libraries = root.join("usr/lib");
    let inner = fs::read_dir(&libraries).map_err(|error| written(&libraries, &error))?;
    let loader = inner
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().contains("linux-gnu"))
        .find_map(|entry| loader(&entry.path()))
        .ok_or_else(|| "the packages hold no loader".to_owned())?;
    let here = loader.parent().unwrap_or(root);
    let text = format!(
        "#!/bin/sh\nexec \"{}\" --library-path \"{}\" \"{}\" \"$@\"\n",
        loader.display(),
        here.display(),
        root.join("usr/sbin/pgbouncer").display()
    );
    let start = program();
    fs::write(&start, text).map_err(|error| written(&start, &error))?;
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755))
        .map_err(|error| written(&start, &error))
}

/// The loader among the libraries of a folder.
fn loader(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries.map(|entry| entry.path()).find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
    })
}

fn folder() -> PathBuf {
    workspace::target().join("pgbouncer-1.24")
}

fn written(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_machines_own() {
        let listing = "Other main x 1.example/\nDebian main bookworm-security 2.example/debian-security/\n\
                       Debian contrib bookworm 3.example/\nDebian main bookworm 4.example/debian/\n";
        assert_eq!(first_mirror(listing), Some("4.example/debian/".to_owned()));
        assert_eq!(first_mirror("Ubuntu main noble 1.example/\n"), None);
    }
}
