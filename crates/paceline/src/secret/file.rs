//! The key file: made at the first start, readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Secret;

/// The key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or made.
    #[error("cannot use the key file {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("the key file {} can be read by others: run `chmod 600` on it, or delete it for a new key", .0.display())]
    Exposed(PathBuf),
    /// What it holds is not a key.
    #[error("the key file {} does not hold 64 hexadecimal digits: restore it, or delete it for a new key", .0.display())]
    Damaged(PathBuf),
}

/// Reads the secret from `path`, or makes a random one there. Of two processes that make it at the same
/// time one wins, and both use its key.
pub fn load_or_create(path: &Path) -> Result<Secret, KeyFileError> {
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(secret) = load(path)? {
        return Ok(secret);
    }
    create(path).map_err(failed)?;
    load(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

fn load(path: &Path) -> Result<Option<Secret>, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(KeyFileError::Damaged(path.to_owned()));
        }
        Err(source) => {
            return Err(KeyFileError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    if is_exposed(path) {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    match super::from_hex(text.trim()) {
        Some(bytes) => Ok(Some(Secret::new(bytes))),
        None => Err(KeyFileError::Damaged(path.to_owned())),
    }
}

/// Written under another name and linked into place, so that a half-written key is never read.
fn create(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let draft = folder.join(format!(
        ".key-{:016x}",
        getrandom::u64().map_err(io::Error::other)?
    ));
    let mut file = private(&draft)?;
    let written = file
        .write_all(Secret::new(bytes).to_hex().as_bytes())
        .and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&draft)?;
    linked
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/secret.key");
        let made = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap(), made);
        assert_eq!(
            fs::read_dir(dir.path().join("state")).unwrap().count(),
            1,
            "no draft is left"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            load_or_create(&path),
            Err(KeyFileError::Exposed(_))
        ));
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        drop(private(&path).unwrap());
        assert!(matches!(
            load_or_create(&path),
            Err(KeyFileError::Damaged(_))
        ));
        assert!(path.exists());
    }
}
