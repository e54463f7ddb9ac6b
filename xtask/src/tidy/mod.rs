//! What the compiler and clippy do not check about the sources.
//!
//! Sizes are a ratchet: the ceilings below hold for everything, and `xtask/ceilings.toml` lists what
//! is over them with the size it may have, which may only shrink.

mod ceilings;
mod documents;
mod manifests;
mod rust;
mod traps;
mod words;

use std::path::{Path, PathBuf};

use ceilings::Ceilings;

/// A tracked text file.
struct Source {
    /// Relative to the workspace's root.
    path: PathBuf,
    text: String,
}

impl Source {
    fn has_extension(&self, extension: &str) -> bool {
        self.path
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// `path:line: what`.
    fn place(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

/// Everything that is not tidy, as lines of `path:line: what`.
pub(crate) fn violations() -> Result<Vec<String>, String> {
    let root = crate::workspace::root();
    let sources: Vec<Source> = crate::workspace::files()?
        .into_iter()
        .filter_map(|path| read(root, path))
        .collect();
    let mut ceilings = Ceilings::read(root)?;
    let mut found = Vec::new();
    for source in &sources {
        found.extend(words::violations(source));
        if source.has_extension("rs") {
            found.extend(rust::violations(source, &mut ceilings));
        }
        if source.has_extension("md") {
            found.extend(documents::broken_links(source, root));
        }
    }
    found.extend(manifests::violations(&sources));
    found.extend(traps::missing(&sources));
    found.extend(ceilings.stale());
    println!("  {} files read", sources.len());
    Ok(found)
}

/// The file's text; `None` for what is not text.
fn read(root: &Path, path: PathBuf) -> Option<Source> {
    let text = std::fs::read_to_string(root.join(&path)).ok()?;
    Some(Source { path, text })
}
