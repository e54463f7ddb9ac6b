//! Finding the servers' programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian has the versions of `PostgreSQL`; its programs are not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Names the folder of the programs of another `PostgreSQL` than the one that is installed.
const POSTGRES_FOLDER: &str = "PACELINE_POSTGRES_BIN";

/// A program of the `PostgreSQL` that `PACELINE_POSTGRES_BIN` names, else of the newest that is installed.
pub(crate) fn postgres(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(POSTGRES_FOLDER) {
        let program = PathBuf::from(folder).join(name);
        assert!(
            program.is_file(),
            "{POSTGRES_FOLDER} is no folder of PostgreSQL's programs: {} is not there",
            program.display()
        );
        return program;
    }
    debian(Path::new(DEBIAN), name)
        .or_else(|| on_path(name))
        .unwrap_or_else(|| panic!("these tests need {name} (Debian package postgresql); `cargo xtask test` installs it"))
}

/// A program on the PATH, or among those of the administrator.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The program in the folder of the highest version below `root`.
fn debian(root: &Path, name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir(root).ok()?.filter_map(Result::ok);
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, path)| path)
}

/// Runs the command to its end and gives what it printed; panics with what it wrote when it failed.
pub(crate) fn output(command: &mut Command) -> String {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
    assert!(
        output.status.success(),
        "{name} ended with {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_taken_by_number() {
        let folder = tempfile::tempdir().expect("a folder");
        for version in ["9", "15", "common"] {
            let bin = folder.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).expect("a folder");
            std::fs::write(bin.join("initdb"), "").expect("a file");
        }
        let found = debian(folder.path(), "initdb").expect("there");
        assert!(found.ends_with("15/bin/initdb"), "{}", found.display());
        assert_eq!(debian(folder.path(), "psql"), None);
    }
}
