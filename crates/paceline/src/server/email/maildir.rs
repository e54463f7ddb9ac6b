//! Delivery into a maildir: written and synced under `tmp/`, then renamed into `new/`.
//!
//! The file's name is made from the job's id alone (hashed, never taken from input), so a delivery that
//! is repeated after a crash replaces the same file instead of adding a second one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A maildir folder with its three subfolders.
#[derive(Debug, Clone)]
pub(crate) struct Maildir {
    folder: PathBuf,
}

impl Maildir {
    /// Opens the folder and creates what is missing.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores one message durably and returns its file's name. Blocks: call it off the async threads.
    pub(crate) fn deliver(&self, job: &str, message: &[u8]) -> io::Result<String> {
        let digest = blake3::hash(job.as_bytes()).to_hex();
        let name = format!("{}.paceline", &digest[..40]);
        let draft = self.folder.join("tmp").join(&name);
        let mut file = File::create(&draft)?;
        file.write_all(message)?;
        file.sync_all()?;
        fs::rename(&draft, self.folder.join("new").join(&name))?;
        File::open(self.folder.join("new"))?.sync_all()?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_delivery_of_one_job_is_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(dir.path()).unwrap();
        let first = maildir.deliver("../../etc/passwd", b"one").unwrap();
        let again = maildir.deliver("../../etc/passwd", b"one").unwrap();
        assert_eq!(first, again);
        maildir.deliver("other", b"two").unwrap();
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 2);
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
        assert_eq!(
            fs::read(dir.path().join("new").join(first)).unwrap(),
            b"one"
        );
    }
}
