//! What a configuration says that matters on Lambda.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use paceline_deploy::deployment::{
    Database, DatabaseKind, Deployment, Source, Times, Uses, Variable,
};

use crate::cli::{Failure, serve};
use crate::config::{
    AllowedHosts, Config, DatabaseUrl, Delivery, JobStoreUrl, LimitStore, Resources,
};

/// How long a request waits for a connection where the configuration says nothing.
const CONNECT: Duration = Duration::from_secs(3);

/// Names that only this machine asks for.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Reads a configuration and notes which variables it names.
///
/// They must be set, to anything of the right form: only the configuration knows which kind of database is meant.
pub(super) fn load(path: &Path) -> Result<(Config, BTreeSet<String>), Failure> {
    let names = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        names.borrow_mut().insert(name.to_owned());
        std::env::var(name).ok()
    };
    let config = Config::load_with(path, &lookup).map_err(|error| serve::unloadable(&error))?;
    Ok((config, names.into_inner()))
}

/// A deployment of the configuration, with every default. Of secrets only names come in.
pub(super) fn deployment(name: &str, config: &Config, variables: BTreeSet<String>) -> Deployment {
    let mut database = Database::new(kind(config));
    if let Some(size) = config.pool.size {
        let size = u32::try_from(size.get()).unwrap_or(u32::MAX);
        database.pool = NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN);
    }
    let mut deployment = Deployment::new(name, database);
    deployment.times = times(config);
    deployment.uses = uses(config);
    let secret = "PACELINE_SECRET";
    let named = variables.into_iter().filter(|name| name != secret);
    deployment.variables = std::iter::once(secret.to_owned())
        .chain(named)
        .map(|name| Variable {
            name,
            source: Source::Secret,
        })
        .collect();
    deployment
}

/// The bounds that a configuration sets; the rest as by default.
pub(super) fn times(config: &Config) -> Times {
    let query = config.database.query_timeout;
    Times {
        statement: query,
        query,
        pool: config.pool.connect_timeout.unwrap_or(CONNECT),
        ..Times::default()
    }
}

fn kind(config: &Config) -> DatabaseKind {
    match &config.database.url {
        DatabaseUrl::Sqlite(_) => DatabaseKind::File {
            written: match &config.resources {
                Resources::EveryTable => false,
                Resources::Named(named) => named.iter().any(|resource| !resource.write.is_empty()),
            },
        },
        DatabaseUrl::Postgres(_) => DatabaseKind::Postgres,
        DatabaseUrl::MySql(_) => DatabaseKind::MySql,
        DatabaseUrl::Neon(_) | DatabaseUrl::PlanetScale(_) => DatabaseKind::Http,
    }
}

fn uses(config: &Config) -> Uses {
    let mut uses = Uses::default();
    let store = config.jobs.as_ref().map(|jobs| &jobs.url);
    uses.job_file = matches!(store, Some(JobStoreUrl::Sqlite(_)));
    uses.redis = matches!(store, Some(JobStoreUrl::Redis(_)));
    for limit in &config.limits {
        match limit.store {
            LimitStore::Memory => uses.memory_limits.push(limit.name.clone()),
            LimitStore::Redis => uses.redis = true,
        }
    }
    if let Some(email) = &config.email {
        uses.mails = true;
        uses.maildir = matches!(email.deliver, Delivery::Maildir(_));
    }
    uses.workers = config
        .workers
        .iter()
        .map(|worker| worker.queue.to_string())
        .collect();
    uses.sql = config.sql.is_some();
    uses.live_stream = config.stream.is_some();
    uses.local_hosts_only = match &config.server.allowed_hosts {
        AllowedHosts::Any => false,
        AllowedHosts::Only(names) => names.iter().all(|name| LOCAL.contains(&name.as_str())),
    };
    uses
}
