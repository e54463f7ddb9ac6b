//! The state folder of a user: keys of databases that are served without a configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The state folder: `PACELINE_STATE_DIR`, else `paceline` in `XDG_STATE_HOME`, else
/// `.local/state/paceline` in `HOME`; `None` when none of them names one.
///
/// Relative paths count in `PACELINE_STATE_DIR` only (XDG Base Directory Specification: all others
/// are invalid). Nothing is made.
pub fn state_folder(lookup: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let given = |name| {
        lookup(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    let absolute = |name| given(name).filter(|path| path.is_absolute());
    given("PACELINE_STATE_DIR")
        .or_else(|| absolute("XDG_STATE_HOME").map(|folder| folder.join("paceline")))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state/paceline")))
}

/// The key file of a database in a state folder. `database` is a canonical path: each way to one file
/// has to lead to one key.
pub fn key_file_of(database: &Path, folder: &Path) -> PathBuf {
    let hash = blake3::hash(database.as_os_str().as_encoded_bytes()).to_hex();
    folder.join(format!("{}.key", &hash[..32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_names_a_folder_counts() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let lookup = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let found = state_folder(&lookup);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{variables:?}");
        };
        let home = ("HOME", "/home/ada");
        let xdg = ("XDG_STATE_HOME", "/state");
        check(&[], None);
        check(&[home], Some("/home/ada/.local/state/paceline"));
        check(&[home, xdg], Some("/state/paceline"));
        check(&[home, xdg, ("PACELINE_STATE_DIR", "own")], Some("own"));
        check(&[xdg, ("PACELINE_STATE_DIR", "")], Some("/state/paceline"));
        check(&[("XDG_STATE_HOME", "state"), ("HOME", "")], None);
    }

    #[test]
    fn each_database_has_a_file_of_its_own() {
        let file = |database: &str| key_file_of(Path::new(database), Path::new("/state"));
        assert_eq!(file("/a.db"), file("/a.db"));
        assert_ne!(file("/a.db"), file("/b.db"));
        assert_eq!(file("/a.db").parent(), Some(Path::new("/state")));
    }
}
