//! From a configuration to an open database and its resources.

use std::collections::BTreeMap;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::resource::{ResourceError, ResourceSpec, Resources, WriteVerb};
use paceline_data::sqlite::{OpenError, SqliteOptions};

use super::source::Source;
use crate::config::{self, Config};
use crate::secret::{KeyFileError, Secret, load_or_create};

/// A service cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unopenable {
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[from] OpenError),
    /// The key file cannot be used.
    #[error("the secret cannot be loaded")]
    Secret(#[from] KeyFileError),
    /// The configuration does not fit the schema.
    #[error("the configuration does not fit the database:\n{}", list(.0))]
    Resources(Vec<ResourceError>),
}

fn list(errors: &[ResourceError]) -> String {
    errors
        .iter()
        .map(|error| format!("  {error}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Opens the database and resolves the resources against its schema. Blocks.
///
/// # Errors
/// What cannot be opened, and what of the configuration does not fit.
pub(crate) fn open(config: &Config) -> Result<Source, Unopenable> {
    let secret = secret(&config.secrets)?;
    let options = SqliteOptions::new(config.database.url.path())
        .read_connections(config.database.read_connections)
        .query_timeout(config.database.query_timeout)
        .row_version_key(secret.derive("paceline 2026-11 row versions v1"));
    let database = Database::open(&options)?;
    let resources = match &config.resources {
        config::Resources::EveryTable => Resources::discover(database.catalog()),
        config::Resources::Named(named) => {
            Resources::build(database.catalog(), named.iter().map(spec).collect())
                .map_err(Unopenable::Resources)?
        }
    };
    let cursors = CursorKey::new(secret.derive("paceline 2026-11 cursors v1"));
    Ok(Source::new(database, resources, cursors, config.cache.size))
}

/// `PACELINE_SECRET`, the configured key, the key file, or one that lives as long as the process.
fn secret(settings: &config::Secrets) -> Result<Secret, KeyFileError> {
    let given = std::env::var("PACELINE_SECRET").ok();
    let given = given
        .as_deref()
        .or(settings.key.as_ref().map(|key| key.expose().as_str()));
    if let Some(secret) = given.and_then(|text| Secret::from_text(text).ok()) {
        return Ok(secret);
    }
    if let Some(path) = &settings.key_file {
        return load_or_create(path);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    Ok(Secret::new(bytes))
}

fn spec(resource: &config::Resource) -> ResourceSpec {
    let mut spec = ResourceSpec::new(&resource.name);
    spec.path = Some(resource.path.clone());
    spec.table = Some(resource.table.clone());
    spec.type_name = Some(resource.kind.clone());
    spec.hidden.clone_from(&resource.hidden);
    spec.fields.clone_from(&resource.fields);
    spec.default_fields.clone_from(&resource.default_fields);
    spec.relations = resource
        .relations
        .iter()
        .map(|relation| (relation.name.clone(), relation.columns.join(",")))
        .collect::<BTreeMap<_, _>>();
    spec.write = resource
        .write
        .iter()
        .map(|verb| write_verb(*verb))
        .collect();
    spec.default_limit = resource.limit.get();
    spec.max_limit = resource.max_limit.get();
    spec.allow_unindexed = resource.unindexed;
    spec
}

fn write_verb(verb: config::WriteVerb) -> WriteVerb {
    match verb {
        config::WriteVerb::Create => WriteVerb::Create,
        config::WriteVerb::Update => WriteVerb::Update,
        config::WriteVerb::Replace => WriteVerb::Replace,
        config::WriteVerb::Delete => WriteVerb::Delete,
    }
}

/// What a configuration serves, for people: opens the database and closes it again. Blocks.
///
/// # Errors
/// What cannot be opened, and what of the configuration does not fit.
pub fn describe(config: &Config) -> Result<String, Unopenable> {
    let source = open(config)?;
    let mut lines = vec![format!("listens on {}", config.server.listen)];
    for resource in source.resources.all() {
        let fields: Vec<&str> = resource
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        lines.push(format!("/api/{}: {}", resource.path, fields.join(", ")));
    }
    for hidden in source.resources.hidden() {
        lines.push(format!(
            "hidden because of its name: {}.{}",
            hidden.resource, hidden.column
        ));
    }
    source.database.close();
    Ok(lines.join("\n"))
}
