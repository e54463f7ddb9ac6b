//! `paceline.toml`: from text to a checked configuration.
//!
//! The raw file is read once, at start. Every mistake in it is collected and shown with its place; only a
//! file without any becomes a [`Config`]. Variables are expanded after parsing, in strings only, and what
//! came from the environment is never printed.

mod access;
mod database;
mod jobs;
mod mistake;
mod reader;
mod redacted;
mod resources;
mod server;
mod streams;
mod values;
mod variables;

use std::path::Path;
use std::sync::Arc;

pub use access::{Limit, Login};
pub use database::{Database, DatabaseUrl, InvalidDatabaseUrl};
pub use jobs::{Delivery, Durability, Email, Jobs};
pub use mistake::{Mistake, Mistakes};
pub use redacted::Redacted;
pub use resources::{Relation, Resource, Resources, WriteVerb};
pub use server::{AllowedHosts, Cache, Secrets, Server};
pub use streams::{Export, Stream};

use reader::{Reader, Section};

/// A checked configuration. What a file leaves out has the default that its field names.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[database]`, the only section a file must have.
    pub database: Database,
    /// `[cache]`.
    pub cache: Cache,
    /// `[secrets]`.
    pub secrets: Secrets,
    /// `[resources]`.
    pub resources: Resources,
    /// `[jobs]`; `None` without the section.
    pub jobs: Option<Jobs>,
    /// `[email]`; `None` without the section.
    pub email: Option<Email>,
    /// `[login]`; `None` without the section.
    pub login: Option<Login>,
    /// `[[limits]]`. Default none.
    pub limits: Vec<Limit>,
    /// `[export]`.
    pub export: Export,
    /// `[stream]`; `None` without the section.
    pub stream: Option<Stream>,
}

/// A configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file has mistakes.
    #[error("{0}")]
    Mistakes(Mistakes),
}

impl Config {
    /// Every table of a database, read-only, with every default.
    pub fn of_database(url: DatabaseUrl) -> Self {
        Self {
            server: Server::default(),
            database: Database::new(url),
            cache: Cache::default(),
            secrets: Secrets {
                key: None,
                key_file: None,
            },
            resources: Resources::EveryTable,
            jobs: None,
            email: None,
            login: None,
            limits: Vec::new(),
            export: Export::default(),
            stream: None,
        }
    }

    /// Reads a file; paths in it are relative to its folder, variables are those of the process.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| LoadError::Unreadable {
            path: name.clone(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &name, folder, &|variable| {
            std::env::var(variable).ok()
        })
        .map_err(LoadError::Mistakes)
    }

    /// Reads a configuration from text. `name` is what mistakes call the file, `lookup` answers
    /// environment variables.
    ///
    /// # Panics
    /// Never: what is missing is reported as a mistake.
    pub fn parse(
        text: &str,
        name: &str,
        folder: &Path,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let shared: Arc<str> = text.into();
        let table = match toml::de::DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let mistake =
                    Mistake::new(error.span().unwrap_or(0..0), error.message().to_owned());
                return Err(Mistakes::collect(name, &shared, vec![mistake]).expect("there is one"));
            }
        };
        let reader = Reader::new(lookup);
        let config = read(&Section::root(&reader, table.get_ref()), folder);
        let (mistakes, _) = reader.finish();
        match (Mistakes::collect(name, &shared, mistakes), config) {
            (None, Some(config)) => Ok(config),
            (Some(mistakes), _) => Err(mistakes),
            (None, None) => unreachable!("what is missing was reported"),
        }
    }
}

fn read(root: &Section<'_, '_>, folder: &Path) -> Option<Config> {
    let database = root.section("database");
    if database.is_none() {
        root.missing("database");
    }
    let config = Config {
        server: root
            .section("server")
            .map(|section| server::server(&section))
            .unwrap_or_default(),
        cache: root
            .section("cache")
            .map(|section| server::cache(&section))
            .unwrap_or_default(),
        secrets: secrets(root, folder),
        resources: root
            .section("resources")
            .map_or(Resources::EveryTable, |section| {
                resources::resources(&section)
            }),
        jobs: root
            .section("jobs")
            .and_then(|section| jobs::jobs(&section, folder)),
        email: root
            .section("email")
            .and_then(|section| jobs::email(&section, folder)),
        login: root.section("login").map(|section| access::login(&section)),
        limits: access::limits(&root.sections("limits")),
        export: root
            .section("export")
            .map(|section| streams::export(&section))
            .unwrap_or_default(),
        stream: root
            .section("stream")
            .map(|section| streams::stream(&section)),
        database: if let Some(database) =
            database.and_then(|section| database::database(&section, folder))
        {
            database
        } else {
            root.finish();
            return None;
        },
    };
    if config.email.is_some() && config.jobs.is_none() && !root.has("jobs") {
        let mistake = Mistake::new(root.reader.span("email"), "[email] needs [jobs]");
        root.reader
            .report(mistake.expected("a section [jobs] with the url of a job store"));
    }
    root.finish();
    Some(config)
}

fn secrets(root: &Section<'_, '_>, folder: &Path) -> Secrets {
    let mut secrets = match root.section("secrets") {
        Some(section) => server::secrets(&section, folder),
        None => Secrets {
            key: None,
            key_file: None,
        },
    };
    if secrets.key.is_none() && secrets.key_file.is_none() {
        secrets.key_file = Some(folder.join("state/secret.key"));
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = include_str!("../demo.toml");

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, "paceline.toml", Path::new("/srv"), &|_| None)
            .map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn the_demo_is_without_mistakes() {
        let config = parse(DEMO).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(config.database.url.path(), Path::new("/srv/shop.db"));
        assert_eq!(config.limits.len(), 2);
        assert_eq!(config.email.expect("[email]").queue, "emails");
    }

    #[test]
    fn mistakes_are_all_told_with_their_line() {
        let text = "[database]\nurl = \"sqlite:a.db\"\n[server]\nlisten = \"here\"\ndrain_timout = \"5s\"\n[[limits]]\nname = \"a\"\nmax = 0\nwindow = \"15 minutes\"\n";
        let told = parse(text).unwrap_err();
        for part in [
            "paceline.toml:4:",
            "paceline.toml:5:",
            "drain_timeout",
            "paceline.toml:8:",
            "paceline.toml:9:",
            "15m",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
    }

    #[test]
    fn a_file_without_a_database_and_one_that_is_not_toml_are_refused() {
        assert!(parse("[server]\n").unwrap_err().contains("database"));
        assert!(parse("[server\n").unwrap_err().contains("paceline.toml:1:"));
        assert!(parse("[database]\nurl = \"sqlite:a.db\"\n[email]\nfrom = \"a@b.example\"\ndeliver = \"maildir:x\"\n")
            .unwrap_err()
            .contains("[jobs]"));
    }
}
