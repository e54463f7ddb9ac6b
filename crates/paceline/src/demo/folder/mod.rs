//! The demo's folder: which files are its own, who uses them, and how a half-made shop is told.
//!
//! A marker file names every file the demo makes. Nothing else is ever removed, and a folder that
//! has other files and no marker is left alone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

/// The name of the marker.
const MARKER: &str = "paceline-demo.txt";

/// The first line of every marker; the number is that of the shop's content.
const HEADER: &str = "paceline demo, shop ";

/// Raised whenever the tables or rows of the shop change.
const SHOP_VERSION: u32 = 1;

/// The shop, and the name it has until it is whole.
const SHOP: &str = "shop.db";
const UNFINISHED: &str = "shop.db.new";

/// Every file the demo may make. `FOLDER/*` stands for the plain files in a folder.
const OWNED: [&str; 16] = [
    SHOP,
    "shop.db-wal",
    "shop.db-shm",
    UNFINISHED,
    "shop.db.new-wal",
    "shop.db.new-shm",
    "shop.db.new-journal",
    "jobs.db",
    "jobs.db-wal",
    "jobs.db-shm",
    "jobs.db-journal",
    "jobs.db.lock",
    "state/secret.key",
    "mail/tmp/*",
    "mail/new/*",
    "mail/cur/*",
];

/// The folder cannot be used for the demo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It has files, and none of them is the demo's marker.
    #[error(
        "{0} has files that are not the demo's: name an empty folder with --dir, or one that does not exist"
    )]
    NotOurs(PathBuf),
    /// The marker is not one.
    #[error("{0} is not the marker of a demo: nothing is touched; name another folder with --dir")]
    NoMarker(PathBuf),
    /// The marker names a file outside of the folder.
    #[error("{marker} names {entry:?}, which no demo makes: nothing is touched")]
    ForeignEntry {
        /// The marker.
        marker: PathBuf,
        /// The line.
        entry: String,
    },
    /// The shop was made by another version.
    #[error("the shop in {0} was made by another version of the demo: --fresh makes a new one")]
    OtherVersion(PathBuf),
    /// Another demo runs in it.
    #[error("another demo is using {0}: stop it first, or name another folder with --dir")]
    InUse(PathBuf),
    /// A file or folder cannot be used.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder that is the demo's as long as this lives.
#[derive(Debug)]
pub(super) struct DemoFolder {
    path: PathBuf,
    marker: File,
}

impl Drop for DemoFolder {
    /// Closing the file is not enough: a process that is being started has a copy of it for a moment.
    fn drop(&mut self) {
        // An error leaves the lock to the end of the process.
        let _ = self.marker.unlock();
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FolderError> {
    result.map_err(|source| FolderError::Io {
        path: path.to_owned(),
        source,
    })
}

impl DemoFolder {
    /// Takes the folder at `path`, which is made when it does not exist.
    pub(super) fn take(path: &Path) -> Result<Self, FolderError> {
        at(path, fs::create_dir_all(path))?;
        let marker_path = path.join(MARKER);
        let is_ours = at(&marker_path, marker_path.try_exists())?;
        if !is_ours && at(path, fs::read_dir(path))?.next().is_some() {
            return Err(FolderError::NotOurs(path.to_owned()));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let marker = at(&marker_path, options.open(&marker_path))?;
        Ok(Self {
            path: path.to_owned(),
            marker,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what the marker names, so that a new shop is made. Nobody else may use the folder.
    pub(super) fn clear(&mut self) -> Result<(), FolderError> {
        self.lock(File::try_lock)?;
        let cleared = self.remove_entries();
        at(&self.marker_path(), self.marker.unlock())?;
        cleared
    }

    fn remove_entries(&mut self) -> Result<(), FolderError> {
        let entries = self.entries()?;
        for entry in &entries {
            match entry.strip_suffix("/*") {
                Some(folder) => self.remove_files(folder)?,
                None => self.remove_file(Path::new(entry))?,
            }
        }
        self.remove_empty_folders(&entries)?;
        let path = self.marker_path();
        at(&path, self.marker.set_len(0))
    }

    /// Makes the shop with `create` unless it is there, and holds on to the folder.
    ///
    /// The shop has another name until it is whole: a creation that was interrupted starts again.
    pub(super) fn shop<E: From<FolderError>>(
        &mut self,
        create: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Created, E> {
        let shop = self.path.join(SHOP);
        if self.is_whole(&shop)? {
            self.lock(File::try_lock_shared)?;
            return Ok(Created::Before);
        }
        self.lock(File::try_lock)?;
        let made = match self.is_whole(&shop) {
            Ok(true) => Ok(()),
            Ok(false) => self.make(&shop, create),
            Err(error) => Err(error.into()),
        };
        at(&self.marker_path(), self.marker.unlock())?;
        made?;
        self.lock(File::try_lock_shared)?;
        Ok(Created::Now)
    }

    fn make<E: From<FolderError>>(
        &mut self,
        shop: &Path,
        create: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.write_marker()?;
        let unfinished = self.path.join(UNFINISHED);
        for remains in OWNED.iter().filter(|name| name.starts_with(UNFINISHED)) {
            self.remove_file(Path::new(remains))?;
        }
        create(&unfinished)?;
        at(shop, fs::rename(&unfinished, shop))?;
        if cfg!(unix) {
            at(
                &self.path,
                File::open(&self.path).and_then(|folder| folder.sync_all()),
            )?;
        }
        Ok(())
    }

    /// Whether the shop is there and of this version.
    fn is_whole(&mut self, shop: &Path) -> Result<bool, FolderError> {
        if !at(shop, shop.try_exists())? {
            return Ok(false);
        }
        let text = self.read_marker()?;
        if text.lines().next() == Some(format!("{HEADER}{SHOP_VERSION}").as_str()) {
            return Ok(true);
        }
        self.entries()?;
        Err(FolderError::OtherVersion(self.path.clone()))
    }

    fn lock(&self, lock: fn(&File) -> Result<(), TryLockError>) -> Result<(), FolderError> {
        match lock(&self.marker) {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(FolderError::Io {
                path: self.marker_path(),
                source,
            }),
        }
    }

    fn marker_path(&self) -> PathBuf {
        self.path.join(MARKER)
    }

    fn write_marker(&mut self) -> Result<(), FolderError> {
        let path = self.marker_path();
        at(&path, self.marker.set_len(0))?;
        let mut text = format!("{HEADER}{SHOP_VERSION}\n");
        text.push_str("# `paceline demo --fresh` removes the files named here and nothing else;\n");
        text.push_str("# a name that ends with /* stands for the plain files of a folder.\n");
        for name in OWNED {
            text.push_str(name);
            text.push('\n');
        }
        at(
            &path,
            self.marker
                .write_all(text.as_bytes())
                .and_then(|()| self.marker.sync_all()),
        )
    }

    fn read_marker(&mut self) -> Result<String, FolderError> {
        let path = self.marker_path();
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| file.take(64 * 1024).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(FolderError::NoMarker(path))
            }
            other => at(&path, other).map(|_| text),
        }
    }

    /// The names in the marker, each proven to lie inside the folder. An empty marker, left when the
    /// very first start was interrupted, names none.
    fn entries(&mut self) -> Result<Vec<String>, FolderError> {
        let text = self.read_marker()?;
        let mut lines = text.lines();
        match lines.next() {
            None => return Ok(Vec::new()),
            Some(header) if header.starts_with(HEADER) => {}
            Some(_) => return Err(FolderError::NoMarker(self.marker_path())),
        }
        let mut entries = Vec::new();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let named = line.strip_suffix("/*").unwrap_or(line);
            let inside = Path::new(named)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if !inside || named.is_empty() || named == MARKER {
                let entry = line.to_owned();
                return Err(FolderError::ForeignEntry {
                    marker: self.marker_path(),
                    entry,
                });
            }
            entries.push(line.to_owned());
        }
        Ok(entries)
    }

    /// Removes one file, unless a link leads out of the folder on the way to it.
    fn remove_file(&self, name: &Path) -> Result<(), FolderError> {
        if !self.is_real_folder(name.parent().unwrap_or(Path::new("")))? {
            return Ok(());
        }
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => at(&path, result),
        }
    }

    fn remove_files(&self, folder: &str) -> Result<(), FolderError> {
        if !self.is_real_folder(Path::new(folder))? {
            return Ok(());
        }
        let path = self.path.join(folder);
        for entry in at(&path, fs::read_dir(&path))? {
            let entry = at(&path, entry)?;
            if at(&path, entry.file_type())?.is_file() {
                at(&entry.path(), fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Whether every part of `name` below the demo's folder is a folder and no link.
    fn is_real_folder(&self, name: &Path) -> Result<bool, FolderError> {
        let mut path = self.path.clone();
        for part in name.components() {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(source) => return Err(FolderError::Io { path, source }),
            }
        }
        Ok(true)
    }

    /// Removes the folders the entries lie in, where nothing is left in them.
    fn remove_empty_folders(&self, entries: &[String]) -> Result<(), FolderError> {
        for entry in entries {
            let mut folder = Path::new(entry).parent();
            while let Some(name) = folder.filter(|name| !name.as_os_str().is_empty()) {
                let path = self.path.join(name);
                if self.is_real_folder(name)? && at(&path, fs::read_dir(&path))?.next().is_none() {
                    at(&path, fs::remove_dir(&path))?;
                }
                folder = name.parent();
            }
        }
        Ok(())
    }
}

/// When the shop was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// By this start.
    Now,
    /// By an earlier one.
    Before,
}

#[cfg(test)]
mod tests;
