//! The zip itself: entries in the order of their names, one fixed time, modes that the platform needs.
//!
//! Written with `rawzip`, which has no dependencies, over the deflate that the binary links anyway.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the archive, with `/` between folders.
    pub name: String,
    /// Whether it is started.
    pub executable: bool,
    /// Its content.
    pub content: Vec<u8>,
}

/// An archive cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Two entries have one name.
    #[error("two files of the archive are called {0:?}: give one of them another name")]
    Twice(String),
    /// A name that would be unpacked elsewhere, or nowhere.
    #[error(
        "{0:?} is no path inside an archive: relative, with / between folders, without . and .."
    )]
    Name(String),
    /// The archive's form does not allow it.
    #[error("the archive cannot be written")]
    Form(#[from] rawzip::Error),
    /// Compressing failed.
    #[error("the archive cannot be compressed")]
    Io(#[from] io::Error),
}

/// The archive of these files: the same bytes for the same files, in whichever order they come.
pub fn write(mut entries: Vec<Entry>) -> Result<Vec<u8>, ArchiveError> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(ArchiveError::Twice(pair[0].name.clone()));
    }
    let mut output = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut output);
    // The first day that the format can tell.
    let time = UtcDateTime::from_unix(315_532_800);
    for entry in &entries {
        if !is_inside(&entry.name) {
            return Err(ArchiveError::Name(entry.name.clone()));
        }
        let (mut file, config) = archive
            .new_file(entry.name.as_str())
            .compression_method(CompressionMethod::DEFLATE)
            .last_modified(time)
            .unix_permissions(if entry.executable {
                0o100_755
            } else {
                0o100_644
            })
            .start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut file, Compression::best()));
        writer.write_all(&entry.content)?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        file.finish(descriptor)?;
    }
    archive.finish()?;
    Ok(output)
}

fn is_inside(name: &str) -> bool {
    !name.contains(['\\', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
