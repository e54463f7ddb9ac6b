//! From a configuration to an open database and its resources.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::encode::BigIntegers;
use paceline_data::mysql::connect::Address as MySqlAddress;
use paceline_data::mysql::{MySqlOpenError, MySqlOptions};
use paceline_data::neon::{NeonAddress, NeonOpenError, NeonOptions};
use paceline_data::plan::{UnservedSort, unserved_sorts};
use paceline_data::planetscale::{
    Address as PlanetScaleAddress, PlanetScaleOpenError, PlanetScaleOptions,
};
use paceline_data::postgres::connect::{Address, InvalidAddress};
use paceline_data::postgres::versions::VersionState;
use paceline_data::postgres::{PostgresOpenError, PostgresOptions};
use paceline_data::resource::{
    AccessVerb, RelationSpec, ResourceError, ResourceErrorKind, ResourceSpec, Resources, WriteVerb,
};
use paceline_data::sqlite::{Access, OpenError, SqliteOptions};
use paceline_data::write::WriteError;
use paceline_jobs::EngineHandle;
use tokio::runtime::Handle;

use super::body::Bounds;
use super::login::{ApiKeys, TokenKey};
use super::outbox;
use super::rds_proxy;
use super::related;
use super::secret::{self, SecretError, SecretOrigin};
use super::source::{Keys, Rules, Source};
use crate::config::{self, Config, DatabaseUrl};
use crate::job_store::{self, CannotOpen};
use crate::secret::Secret;

/// A service cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unopenable {
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[from] OpenError),
    /// The database server cannot be used.
    #[error("the database {0} cannot be used")]
    Server(String, #[source] Box<PostgresOpenError>),
    /// The proxy that the environment names is none.
    #[error(
        "{} names no host: write its name, and :PORT where it is another one than the database's",
        rds_proxy::VARIABLE
    )]
    Proxy(#[source] InvalidAddress),
    /// The database cannot be used over HTTP.
    #[error("the database {0} cannot be used")]
    Endpoint(String, #[source] Box<NeonOpenError>),
    /// The database server, MySQL or `MariaDB`, cannot be used.
    #[error("the database {0} cannot be used")]
    MySqlServer(String, #[source] Box<MySqlOpenError>),
    /// The database at `PlanetScale` cannot be used over HTTP.
    #[error("the database {0} cannot be used")]
    PlanetScale(String, #[source] Box<PlanetScaleOpenError>),
    /// The job store cannot be opened.
    #[error(transparent)]
    Jobs(#[from] CannotOpen),
    /// There is a secret, and it cannot be used.
    #[error("the secret cannot be used")]
    Secret(#[from] SecretError),
    /// Statements over HTTP cannot be served.
    #[error("[sql] cannot be served")]
    Sql(#[source] paceline_data::postgres::text::TextOpenError),
    /// There is no table for the jobs that follow writes, or not as it is needed.
    #[error(
        "`on` of a resource adds jobs in the transactions of writes, and the database has no table for them, \
         or one of an earlier version: `paceline migrate install-outbox URL` makes it as it is to be"
    )]
    NoOutbox,
    /// The table for the jobs that follow writes cannot be used.
    #[error("the table for the jobs that follow writes cannot be used")]
    Outbox(#[source] WriteError),
    /// The configuration does not fit the schema.
    #[error("the configuration does not fit the database:\n{}", list(.0))]
    Resources(Vec<ResourceError>),
}

impl Unopenable {
    /// Whether the configuration or the environment has to be changed.
    pub fn is_misconfigured(&self) -> bool {
        match self {
            Self::Resources(_) | Self::Proxy(_) | Self::NoOutbox => true,
            Self::Secret(error) => error.is_misconfigured(),
            Self::Database(_)
            | Self::Endpoint(..)
            | Self::Server(..)
            | Self::MySqlServer(..)
            | Self::PlanetScale(..)
            | Self::Jobs(_)
            | Self::Sql(_)
            | Self::Outbox(_) => false,
        }
    }
}

fn list(errors: &[ResourceError]) -> String {
    errors
        .iter()
        .map(|error| format!("  {error}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A service's parts, open but not yet serving.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) source: Source,
    pub(super) engine: Option<EngineHandle>,
    pub(super) origin: SecretOrigin,
}

/// Opens the database and the job store and resolves the resources against the schema. Blocks, and must be called
/// on a thread of a runtime where that is allowed.
///
/// # Errors
/// What cannot be opened, and what of the configuration does not fit.
pub(super) fn open(config: &Config) -> Result<Opened, Unopenable> {
    let url = &config.database.url;
    let (secret, origin) = secret::load(&config.secrets, url, &|name| std::env::var_os(name))?;
    let database = match url {
        DatabaseUrl::Sqlite(path) => open_file(config, path, &secret)?,
        DatabaseUrl::Postgres(address) => connect(config, address)?,
        DatabaseUrl::Neon(address) => connect_neon(config, address)?,
        DatabaseUrl::MySql(address) => connect_mysql(config, address)?,
        DatabaseUrl::PlanetScale(address) => connect_planetscale(config, address)?,
    };
    let (resources, rules) = resolve(config, &database)?;
    let resources = resources.with_big_integers(if config.database.big_integers_as_strings {
        BigIntegers::Strings
    } else {
        BigIntegers::Numbers
    });
    let resources = resources.with_base_path(&format!("{}/api", config.server.public_path));
    let lifetime = config
        .login
        .as_ref()
        .map_or(Duration::ZERO, |login| login.token_lifetime);
    let keys = Keys {
        cursors: CursorKey::new(secret.derive("paceline 2026-11 cursors v1")),
        tokens: TokenKey::new(&secret.derive("paceline 2026-11 login tokens v1"), lifetime),
        programs: ApiKeys::new(&config.api_keys),
    };
    let bodies = Bounds {
        bytes: config.server.max_body,
        time: config.server.body_timeout,
    };
    let source = Source::new(
        database,
        resources,
        rules,
        keys,
        config.cache.size,
        (bodies, config.bulk.clone(), &config.server.public_path),
    );
    if source.has_follows() {
        let prepared = Handle::current().block_on(outbox::prepare(&source.database));
        prepared.map_err(|error| match error {
            WriteError::NoTable => Unopenable::NoOutbox,
            error => Unopenable::Outbox(error),
        })?;
    }
    let jobs = config.jobs.as_ref();
    let engine = jobs.map(|jobs| job_store::open(&jobs.url, jobs.durability));
    let engine = engine.transpose()?;
    Ok(Opened {
        source,
        engine,
        origin,
    })
}

fn open_file(config: &Config, path: &Path, secret: &Secret) -> Result<Database, OpenError> {
    let mut options = SqliteOptions::new(path)
        .access(if is_written(config) {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        })
        .query_timeout(config.database.query_timeout)
        .max_exports(exports(config))
        .export_stall_timeout(config.server.stall_timeout)
        .row_version_key(secret.derive("paceline 2026-11 row versions v1"));
    if let Some(threads) = config.database.read_connections {
        options = options.read_connections(threads);
    }
    Database::open(&options)
}

fn connect(config: &Config, address: &Address) -> Result<Database, Unopenable> {
    let address = config.pool.apply_to(address.clone());
    let address = rds_proxy::through(address, std::env::var(rds_proxy::VARIABLE).ok())?;
    let told = address.to_string();
    let mut options = PostgresOptions::new(address)
        .pool(config.pool.options())
        .writable(is_written(config))
        .query_timeout(config.database.query_timeout)
        .max_exports(exports(config))
        .export_stall_timeout(config.server.stall_timeout);
    if let Some(address) = &config.database.listen_url {
        // What [pool] says of poolers is about the other one.
        let address = Address::clone(address);
        options = options.listen(match &config.pool.ca_file {
            Some(file) => address.with_ca_file(file.clone()),
            None => address,
        });
    }
    Handle::current()
        .block_on(Database::connect(options))
        .map_err(|error| Unopenable::Server(told, Box::new(error)))
}

fn connect_neon(config: &Config, address: &NeonAddress) -> Result<Database, Unopenable> {
    let refused = |error| Unopenable::Endpoint(address.to_string(), Box::new(error));
    let address = match &config.pool.ca_file {
        Some(file) => address.clone().with_ca_file(file.clone()),
        None => address.clone(),
    };
    let options = NeonOptions::new(address)
        .writable(is_written(config))
        .query_timeout(config.database.query_timeout)
        .max_exports(exports(config))
        .export_stall_timeout(config.server.stall_timeout);
    Handle::current()
        .block_on(Database::connect_neon(options))
        .map_err(refused)
}

fn connect_mysql(config: &Config, address: &MySqlAddress) -> Result<Database, Unopenable> {
    let options = MySqlOptions::new(config.pool.apply_to_mysql(address.clone()))
        .pool(config.pool.options())
        .writable(is_written(config))
        .query_timeout(config.database.query_timeout)
        .max_exports(exports(config))
        .export_stall_timeout(config.server.stall_timeout);
    Handle::current()
        .block_on(Database::connect_mysql(options))
        .map_err(|error| Unopenable::MySqlServer(address.to_string(), Box::new(error)))
}

fn connect_planetscale(
    config: &Config,
    address: &PlanetScaleAddress,
) -> Result<Database, Unopenable> {
    let options = PlanetScaleOptions::new(address.clone())
        .writable(is_written(config))
        .query_timeout(config.database.query_timeout)
        .max_exports(exports(config))
        .export_stall_timeout(config.server.stall_timeout);
    Handle::current()
        .block_on(Database::connect_planetscale(options))
        .map_err(|error| Unopenable::PlanetScale(address.to_string(), Box::new(error)))
}

fn is_written(config: &Config) -> bool {
    match &config.resources {
        config::Resources::EveryTable => false,
        config::Resources::Named(named) => named.iter().any(|resource| !resource.write.is_empty()),
    }
}

fn exports(config: &Config) -> NonZeroUsize {
    let most = usize::try_from(config.export.max_concurrent.get()).unwrap_or(usize::MAX);
    NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN)
}

fn resolve(config: &Config, database: &Database) -> Result<(Resources, Vec<Rules>), Unopenable> {
    let named = match &config.resources {
        config::Resources::EveryTable => {
            let resources = Resources::discover(database.catalog());
            let rules = vec![Rules::default(); resources.all().len()];
            return Ok((resources, rules));
        }
        config::Resources::Named(named) => named,
    };
    let specs = named.iter().map(spec).collect();
    let resources = Resources::build(database.catalog(), specs).map_err(Unopenable::Resources)?;
    let mut errors = Vec::new();
    let rules = named
        .iter()
        .zip(resources.all())
        .map(|(settings, resource)| Rules {
            access: settings.access.clone(),
            on: Arc::new(settings.on.clone()),
            require_match: settings.require_match,
            touch: settings.touch.as_ref().and_then(|name| {
                let column = resources.table_of(resource).column(name);
                if column.is_none() {
                    errors.push(no_column(settings, name));
                }
                column
            }),
        })
        .collect();
    if errors.is_empty() {
        Ok((resources, rules))
    } else {
        Err(Unopenable::Resources(errors))
    }
}

fn no_column(settings: &config::Resource, name: &str) -> ResourceError {
    ResourceError {
        resource: settings.name.clone(),
        key: "touch".to_owned(),
        value: name.to_owned(),
        kind: ResourceErrorKind::Unknown,
        message: format!("The table {:?} has no column {name:?}.", settings.table),
    }
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
        .map(|relation| {
            let spec = RelationSpec {
                by: relation.columns.join(","),
                from: relation.from.clone(),
                through: relation.through.clone(),
                limit: relation.limit.map(std::num::NonZeroU32::get),
            };
            (relation.name.clone(), spec)
        })
        .collect::<BTreeMap<_, _>>();
    spec.write = resource
        .write
        .iter()
        .map(|verb| write_verb(*verb))
        .collect();
    for verb in AccessVerb::ALL {
        if let config::Access::Owner(column) = resource.access.rule(verb) {
            spec.owners = spec.owners.with(verb, column.clone());
        }
    }
    spec.default_limit = resource.limit.get();
    spec.max_limit = resource.max_limit.get();
    spec.sort.clone_from(&resource.sort);
    spec.default_sort.clone_from(&resource.default_sort);
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

/// What a configuration serves, for people: opens the database and closes it again. Blocks, and must be called on a
/// thread of a runtime where that is allowed.
///
/// # Errors
/// What cannot be opened, and what of the configuration does not fit.
pub fn describe(config: &Config) -> Result<String, Unopenable> {
    let Opened { source, .. } = open(config)?;
    let mut lines = vec![format!("listens on {}", config.server.listen)];
    for resource in source.resources.all() {
        let fields: Vec<&str> = resource
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        lines.push(format!("/api/{}: {}", resource.path, fields.join(", ")));
        lines.extend(related::lines(&source.resources, resource));
    }
    for hidden in source.resources.hidden() {
        lines.push(format!(
            "hidden because of its name: {}.{}",
            hidden.resource, hidden.column
        ));
    }
    for skipped in source.resources.catalog().skipped() {
        lines.push(format!("not served: {}: {}", skipped.name, skipped.reason));
    }
    let versions = source.database.version_state();
    lines.push(match versions {
        VersionState::NotUsed(_) | VersionState::Lost => {
            format!("warning: table versions: {versions}")
        }
        _ => format!("table versions: {versions}"),
    });
    lines.extend(config.workers.iter().map(worker));
    lines.extend(unserved(&source.resources));
    let warnings = super::limits::warnings(config);
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.extend(related::warnings(&source.resources));
    source.database.close();
    if let Some(sql) = &config.sql {
        let opening = super::sql::SqlService::open(sql, config);
        let service = Handle::current()
            .block_on(opening)
            .map_err(Unopenable::Sql)?;
        Handle::current().block_on(service.close());
        lines.push(format!(
            "statements over HTTP on {}: in {}",
            sql.listen, sql.url
        ));
    }
    Ok(lines.join("\n"))
}

/// Orders that the configuration offers and no index is in.
fn unserved(resources: &Resources) -> Vec<String> {
    let mut warnings = Vec::new();
    for resource in resources.all() {
        let table = resources.table_of(resource);
        for sort in unserved_sorts(resources, resource) {
            let (key, name) = match &sort {
                UnservedSort::Usual(name) => ("default_sort", name),
                UnservedSort::Allowed(name) => ("sort", name),
                _ => continue,
            };
            let large = if resource.allow_unindexed {
                ""
            } else {
                ", and is refused once it has more than 100,000 rows"
            };
            warnings.push(format!(
                "warning: no index of the table {:?} is in the order {name:?}, which `{key}` of [resources.{}] offers: \
                 each such page reads the whole table{large}",
                table.name, resource.name
            ));
        }
    }
    warnings
}

/// A worker in a line: its queue, where its jobs go, and how.
fn worker(worker: &config::Worker) -> String {
    let signed = match worker.secret {
        Some(_) => "signed",
        None => "not signed",
    };
    let private = if worker.allow_private {
        ", private addresses allowed"
    } else {
        ""
    };
    format!(
        "jobs of {}: to {}, {} at a time, {:?} each, {signed}{private}",
        worker.queue, worker.http, worker.concurrency, worker.timeout
    )
}
