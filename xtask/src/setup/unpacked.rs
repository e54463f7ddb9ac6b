//! Servers of the Debian release after this machine's, unpacked under the target folder with the libraries they were built
//! for; they run beside those that are installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::debian;
use crate::process::Program;
use crate::workspace;

/// The release they are taken from.
const RELEASE: &str = "trixie";

/// The keys that Debian signs its releases with, the next one's among them.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A server that is unpacked.
pub(super) struct Unpacked {
    /// The folder below the target folder.
    pub(super) folder: &'static str,
    /// The server, the loader its programs are started with, and the libraries that both need.
    pub(super) packages: &'static [&'static str],
    /// The folder of the programs that are started, in the packages.
    pub(super) programs: &'static str,
    /// One of them, which tells its version.
    pub(super) first: &'static str,
    /// Files of the packages that are in the way.
    pub(super) unwanted: &'static [&'static str],
    /// What to do where there is no apt-get.
    pub(super) otherwise: &'static str,
}

impl Unpacked {
    /// The folder of the programs. Each is a script that starts the program behind it with its own loader and libraries,
    /// so that programs find each other beside themselves, as they do where they are installed.
    pub(super) fn programs(&self) -> PathBuf {
        self.tree().join(self.programs)
    }

    /// Whether it is there and runs.
    pub(super) fn is_current(&self) -> bool {
        let first = self.programs().join(self.first);
        first.is_file() && Program::new(first).arguments(&["--version"]).succeeds()
    }

    /// Downloads the packages with apt-get, on lists and settings of its own: the machine's stay as they are.
    pub(super) fn install(&self) -> Result<(), String> {
        if !debian::on_path("apt-get") {
            return Err(format!("there is no apt-get here; {}", self.otherwise));
        }
        let folder = workspace::target().join(self.folder);
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
            .arguments(self.packages)
            .folder(&downloads)
            .run()?;
        let tree = self.tree();
        for package in files(&downloads)? {
            Program::new("dpkg-deb")
                .arguments(&["-x".as_ref(), package.as_os_str(), tree.as_os_str()])
                .run()?;
        }
        for name in self.unwanted {
            let file = tree.join(name);
            fs::remove_file(&file).map_err(|error| written(&file, &error))?;
        }
        wrap(&tree, &self.programs())?;
        // Lists of a whole release; nothing reads them again.
        fs::remove_dir_all(&apt).map_err(|error| written(&apt, &error))
    }

    fn tree(&self) -> PathBuf {
        workspace::target().join(self.folder).join("tree")
    }
}

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

/// Puts a script in the place of each program of a folder; the program lies behind it, with another ending.
fn wrap(tree: &Path, programs: &Path) -> Result<(), String> {
    let loader = files(&tree.join("usr/lib"))?
        .iter()
        .filter(|folder| name_of(folder).contains("linux-gnu"))
        .find_map(|folder| loader(folder))
        .ok_or_else(|| "the packages hold no loader".to_owned())?;
    for script in files(programs)? {
        let program = script.with_file_name(format!("{}.program", name_of(&script)));
        fs::rename(&script, &program).map_err(|error| written(&script, &error))?;
        fs::write(&script, start(&loader, &script, &program))
            .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
            .map_err(|error| written(&script, &error))?;
    }
    Ok(())
}

/// The script: the program believes that it is the script, and looks beside it.
fn start(loader: &Path, script: &Path, program: &Path) -> String {
    let libraries = loader.parent().unwrap_or(loader);
    format!(
        "#!/bin/sh\nexec \"{}\" --library-path \"{}\" --argv0 \"{}\" \"{}\" \"$@\"\n",
        loader.display(),
        libraries.display(),
        script.display(),
        program.display()
    )
}

/// The loader among the libraries of a folder.
fn loader(folder: &Path) -> Option<PathBuf> {
    let mut libraries = files(folder).ok()?.into_iter();
    libraries.find(|path| name_of(path).starts_with("ld-linux"))
}

/// What is in a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| written(folder, &error))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths
        .collect::<Result<_, _>>()
        .map_err(|error| written(folder, &error))
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
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

    #[test]
    fn programs_are_started_by_scripts_in_their_place() {
        let tree = tempfile::tempdir().expect("a folder");
        let libraries = tree.path().join("usr/lib/some-linux-gnu");
        let programs = tree.path().join("bin");
        for folder in [&libraries, &programs] {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(libraries.join("ld-linux-some.so.2"), "").expect("a file");
        fs::write(programs.join("initdb"), "program").expect("a file");
        wrap(tree.path(), &programs).expect("there is a loader");
        let read = |name: &str| fs::read_to_string(programs.join(name)).expect("a file");
        assert_eq!(read("initdb.program"), "program");
        let script = read("initdb");
        let beside = format!("--argv0 \"{}\"", programs.join("initdb").display());
        assert!(script.contains(&beside), "{script}");
        assert!(script.contains("ld-linux-some.so.2\""), "{script}");
    }
}
