//! `paceline.toml`: from text to a checked configuration.
//!
//! The raw file is read once, at start. Every mistake in it is collected and shown with its place; only a
//! file without any becomes a [`Config`]. Variables are expanded after parsing, in strings only, and what
//! came from the environment is never printed.

mod access;
mod agree;
mod bulk;
mod database;
mod events;
mod job_store;
mod jobs;
mod limits;
mod mistake;
mod pool;
mod reader;
mod redacted;
mod resources;
mod server;
mod sql;
mod streams;
mod values;
mod variables;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use access::{Access, AccessRules, ApiKey, Login};
pub(crate) use agree::MAILS;
pub use bulk::Bulk;
pub use database::{Database, DatabaseUrl, InvalidDatabaseUrl};
pub use events::{Event, Events};
pub use job_store::{InvalidJobStoreUrl, JobStoreUrl};
pub use jobs::{Delivery, Durability, Email, Jobs};
pub use limits::{Concurrency, Limit, LimitSettings, LimitStore};
pub use mistake::{Mistake, Mistakes};
pub use pool::Pool;
pub use redacted::Redacted;
pub use resources::{Relation, Resource, Resources, WriteVerb};
pub use server::{AllowedHosts, Cache, Secrets, Server};
pub use sql::{Sql, SqlLogin};
pub use streams::{Export, Stream};
pub use workers::{InvalidWebhookUrl, WebhookUrl, Worker};

pub use crate::processor::http::{InvalidSecret, SigningSecret};

use reader::{Reader, Section};

/// Reads a duration as the file has them: `500ms`, `30s`, `15m`, `2h`.
///
/// # Errors
/// What was expected, for the command line.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    values::duration(text)
        .map_err(|_| "expected a duration such as 500ms, 30s, 15m or 2h".to_owned())
}

/// A checked configuration. What a file leaves out has the default that its field names.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[database]`, the only section a file must have.
    pub database: Database,
    /// `[pool]`.
    pub pool: Pool,
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
    /// `[[workers]]`. Default none.
    pub workers: Vec<Worker>,
    /// `[login]`; `None` without the section.
    pub login: Option<Login>,
    /// `[[api_keys]]`. Default none.
    pub api_keys: Vec<ApiKey>,
    /// `[[limits]]`. Default none.
    pub limits: Vec<Limit>,
    /// `[limit_settings]`.
    pub limit_settings: LimitSettings,
    /// `[[concurrency]]`. Default none.
    pub concurrency: Vec<Concurrency>,
    /// `[bulk]`.
    pub bulk: Bulk,
    /// `[export]`.
    pub export: Export,
    /// `[stream]`; `None` without the section.
    pub stream: Option<Stream>,
    /// `[sql]`; `None` without the section.
    pub sql: Option<Sql>,
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
            pool: Pool::default(),
            cache: Cache::default(),
            secrets: Secrets {
                key: None,
                key_file: None,
            },
            resources: Resources::EveryTable,
            jobs: None,
            email: None,
            workers: Vec::new(),
            login: None,
            api_keys: Vec::new(),
            limits: Vec::new(),
            limit_settings: LimitSettings::default(),
            concurrency: Vec::new(),
            bulk: Bulk::default(),
            export: Export::default(),
            stream: None,
            sql: None,
        }
    }

    /// Reads a file; paths in it are relative to its folder, variables are those of the process.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_with(path, &|variable| std::env::var(variable).ok())
    }

    /// The same, with variables that `lookup` answers.
    pub fn load_with(
        path: &Path,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| LoadError::Unreadable {
            path: name.clone(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &name, folder, lookup).map_err(LoadError::Mistakes)
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
        let (table, errors) = toml::de::DeTable::parse_recoverable(text);
        let reader = Reader::new(lookup);
        let config = read(&Section::root(&reader, table.get_ref()), folder);
        let (mut mistakes, _) = reader.finish();
        if !errors.is_empty() {
            tell_syntax(&mut mistakes, text, &errors);
        }
        match (Mistakes::collect(name, &shared, mistakes), config) {
            (None, Some(config)) => Ok(config),
            (Some(mistakes), _) => Err(mistakes),
            (None, None) => unreachable!("what is missing was reported"),
        }
    }
}

fn read(root: &Section<'_, '_>, folder: &Path) -> Option<Config> {
    let database = root.section("database");
    if !root.has("database") {
        root.missing("database");
    }
    let database = database.and_then(|section| database::database(&section, folder));
    // What is wrong there has been reported; the rest is still compared.
    let usable = database.is_some();
    let stand_in = || Database::new(DatabaseUrl::Sqlite(PathBuf::new()));
    let mut config = Config {
        server: root
            .section("server")
            .map(|section| server::server(&section))
            .unwrap_or_default(),
        cache: root
            .section("cache")
            .map(|section| server::cache(&section))
            .unwrap_or_default(),
        pool: root
            .section("pool")
            .map(|section| pool::pool(&section, folder))
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
        workers: workers::workers(&root.sections("workers")),
        login: root.section("login").map(|section| access::login(&section)),
        api_keys: access::api_keys(&root.sections("api_keys")),
        limits: limits::limits(&root.sections("limits")),
        limit_settings: root
            .section("limit_settings")
            .map(|section| limits::settings(&section))
            .unwrap_or_default(),
        concurrency: limits::concurrency(&root.sections("concurrency")),
        bulk: root
            .section("bulk")
            .map(|section| bulk::bulk(&section))
            .unwrap_or_default(),
        export: root
            .section("export")
            .map(|section| streams::export(&section))
            .unwrap_or_default(),
        stream: root
            .section("stream")
            .map(|section| streams::stream(&section)),
        sql: root.section("sql").and_then(|section| sql::sql(&section)),
        database: database.unwrap_or_else(stand_in),
    };
    agree::check(&mut config, root);
    root.finish();
    usable.then_some(config)
}

/// Where the syntax is broken, keys are lost: mistakes on those lines, and those about something
/// absent, may be echoes. They give way to the broken lines.
fn tell_syntax(found: &mut Vec<Mistake>, text: &str, errors: &[toml::de::Error]) {
    let line = |at: usize| text[..text.floor_char_boundary(at)].matches('\n').count();
    let broken: Vec<_> = errors
        .iter()
        .map(|error| error.span().unwrap_or(0..0))
        .collect();
    found.retain(|mistake| {
        let at = line(mistake.span().start);
        !mistake.is_absence() && broken.iter().all(|span| line(span.start) != at)
    });
    for (error, span) in errors.iter().zip(broken) {
        found.push(Mistake::new(span, error.message()));
    }
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
mod tests;
