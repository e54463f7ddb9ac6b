//! `paceline init`: a folder to start from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;

const CONFIG: &str = include_str!("paceline.toml");
const SEED: &str = include_str!("seed.sql");
const README: &str = include_str!("README.md");

/// Write a configuration and a small database to start from
#[derive(Debug, Args)]
#[command(after_help = "\
Writes paceline.toml, seed.sql, library.db and README.md. A folder with files in it is refused.

Examples:
  paceline init my-service
  cd my-service && paceline serve")]
pub(super) struct Init {
    /// The folder; it is made when it does not exist
    dir: PathBuf,
}

/// The folder cannot be filled.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("{0} has files in it: name an empty folder, or one that does not exist")]
    NotEmpty(PathBuf),
    #[error("cannot write {0}")]
    Io(PathBuf, #[source] io::Error),
    #[error("cannot make the database {0}")]
    Database(PathBuf, #[source] rusqlite::Error),
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        fill(&self.dir).map_err(|error| match error {
            InitError::NotEmpty(_) => Failure::Usage(error.to_string()),
            _ => Failure::run(&error),
        })?;
        let dir = self.dir.display();
        println!("Wrote paceline.toml, seed.sql, library.db and README.md into {dir}.");
        println!("Next:\n  cd {dir}\n  paceline serve");
        Ok(())
    }
}

fn fill(dir: &Path) -> Result<(), InitError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| InitError::Io(path, error)
    };
    fs::create_dir_all(dir).map_err(at(dir))?;
    if fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
        return Err(InitError::NotEmpty(dir.to_owned()));
    }
    let database = dir.join("library.db");
    let seeded = rusqlite::Connection::open(&database).and_then(|mut connection| {
        let transaction = connection.transaction()?;
        transaction.execute_batch(SEED)?;
        transaction.commit()
    });
    seeded.map_err(|error| InitError::Database(database, error))?;
    for (name, text) in [
        ("seed.sql", SEED),
        ("README.md", README),
        ("paceline.toml", CONFIG),
    ] {
        let path = dir.join(name);
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::server;

    #[test]
    fn what_it_writes_can_be_served() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/service");
        fill(&dir).unwrap();
        let config = Config::load(&dir.join("paceline.toml")).unwrap();
        assert_eq!(
            config.database.url.path(),
            Some(dir.join("library.db").as_path())
        );
        let served = server::describe(&config).unwrap();
        assert!(
            served.contains("/api/books: id, author_id, title, published, updated_at"),
            "{served}"
        );
        assert!(!served.contains("notes"), "{served}");
    }

    #[test]
    fn a_folder_with_files_is_refused_and_left_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("letters.txt"), "").unwrap();
        assert!(matches!(fill(root.path()), Err(InitError::NotEmpty(_))));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
