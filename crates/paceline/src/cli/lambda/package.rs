//! `paceline lambda package`: the archive that is uploaded.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use paceline_deploy::deployment::Architecture;
use paceline_deploy::package::{self, Entry, Linkage, Size};

use super::words;
use crate::cli::Failure;

/// Write the archive that is uploaded
#[derive(Debug, Args)]
#[command(after_help = "\
The archive has the binary as `bootstrap`, the configuration as `paceline.toml`, and what else is included, under its
path relative to the configuration's folder. It is the same bytes for the same files. A binary that cannot run on
provided.al2023 is refused; docs/deploy.md says how to build one that can.

Examples:
  paceline lambda package --config paceline.toml --output function.zip
  paceline lambda package --binary target/release/my-function --architecture arm64 --output function.zip
  paceline lambda package --config paceline.toml --include ca.pem --output function.zip")]
pub(super) struct Package {
    /// The program; default: this one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another file, such as a certificate or a SQLite database; may be given several times
    #[arg(long, value_name = "FILE")]
    include: Vec<PathBuf>,
    /// The function's processor; default: what the binary was built for
    #[arg(long, value_parser = words::architecture())]
    architecture: Option<Architecture>,
    /// The archive; a file of that name is replaced
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

impl Package {
    pub(super) fn run(self) -> Result<(), Failure> {
        let binary = match &self.binary {
            Some(path) => path.clone(),
            None => std::env::current_exe().map_err(|error| Failure::run(&error))?,
        };
        let program = read(&binary)?;
        let architecture = self.judge(&binary, &program)?;
        let mut entries = vec![entry("bootstrap".to_owned(), true, program)];
        if let Some(config) = &self.config {
            entries.push(entry("paceline.toml".to_owned(), false, read(config)?));
        }
        for path in &self.include {
            entries.push(entry(self.name(path)?, false, read(path)?));
        }
        let unpacked = entries.iter().map(|entry| length(&entry.content)).sum();
        let archive = package::write(entries).map_err(|error| Failure::usage(&error))?;
        let size = package::judge_size(length(&archive), unpacked);
        let size = size.map_err(|error| Failure::Usage(error.to_string()))?;
        fs::write(&self.output, &archive).map_err(|error| {
            Failure::Run(format!("cannot write {}: {error}", self.output.display()))
        })?;
        println!(
            "{}: {:.1} MB, {:.1} MB unpacked, for {}",
            self.output.display(),
            megabytes(length(&archive)),
            megabytes(unpacked),
            architecture.name(),
        );
        if size == Size::OverS3 {
            eprintln!(
                "warning: above 50 MB an archive is uploaded through S3 only (sam deploy does that), and starts more slowly: \
                 strip the binary (strip = true in its profile)"
            );
        }
        Ok(())
    }

    /// Whether the program can run there; gives the processor it is for.
    fn judge(&self, path: &Path, file: &[u8]) -> Result<Architecture, Failure> {
        let refused = |why: &dyn std::error::Error| {
            Failure::Usage(format!("{} cannot be a function: {why}", path.display()))
        };
        let program = package::read(file).map_err(|error| refused(&error))?;
        let wanted = self
            .architecture
            .or(program.architecture)
            .unwrap_or(Architecture::Arm64);
        package::judge(&program, wanted).map_err(|error| refused(&error))?;
        for library in package::unknown_libraries(&program) {
            eprintln!(
                "warning: {} needs {library}, which provided.al2023 is not known to have: link it statically, or add a layer that has it",
                path.display()
            );
        }
        if let Linkage::Dynamic {
            glibc: Some(glibc), ..
        } = &program.linkage
        {
            eprintln!(
                "note: it needs glibc {glibc}; provided.al2023 has {}",
                package::AL2023_GLIBC
            );
        }
        Ok(wanted)
    }

    /// The path inside the archive: relative to the configuration, whose own paths are meant so, else the file's name.
    fn name(&self, path: &Path) -> Result<String, Failure> {
        let folder = self.config.as_deref().and_then(Path::parent);
        let inside = folder.and_then(|folder| path.strip_prefix(folder).ok());
        let name = match inside.filter(|inside| inside.is_relative()) {
            Some(inside) => inside.to_str(),
            None => path.file_name().and_then(|name| name.to_str()),
        };
        name.map(str::to_owned).ok_or_else(|| {
            Failure::Usage(format!(
                "--include {}: give a file whose name is UTF-8",
                path.display()
            ))
        })
    }
}

fn entry(name: String, executable: bool, content: Vec<u8>) -> Entry {
    Entry {
        name,
        executable,
        content,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
