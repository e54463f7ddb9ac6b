//! `[pool]`: connections to a database server.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use paceline_data::mysql::connect::Address as MySqlAddress;
use paceline_data::pool::PoolOptions;
use paceline_data::postgres::connect::{Address, Endpoint, StatementMode};

use super::mistake::Mistake;
use super::reader::Section;
use super::values::{self, Invalid};

/// `[pool]`. What is not said has the default of [`PoolOptions`], or is what the address says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// How many connections there may be at once. Default: what fits the place, one on Lambda.
    pub size: Option<NonZeroUsize>,
    /// How many requests may wait for a connection. Default 1024.
    pub max_waiting: Option<usize>,
    /// How long one attempt to connect may take. Default 3 s.
    pub connect_timeout: Option<Duration>,
    /// A connection that lay unused for longer is checked first. Default 1 s.
    pub check_after_idle: Option<Duration>,
    /// How long a check may take. Default 250 ms.
    pub check_timeout: Option<Duration>,
    /// How old a connection may become. Default 25 min.
    pub max_lifetime: Option<Duration>,
    /// Connections that nobody needs any more are closed after so long. Default 10 min.
    pub max_idle: Option<Duration>,
    /// What stands before the server. Default: found out when the first connection is made.
    pub pooler: Option<Endpoint>,
    /// How statements are sent. Default: what is safe behind the pooler.
    pub statements: Option<StatementMode>,
    /// The certificates of the authorities that may vouch for the server. Default: those the system knows.
    pub ca_file: Option<PathBuf>,
}

impl Pool {
    /// The bounds of the pool, for where this process runs.
    pub fn options(&self) -> PoolOptions {
        let mut options = PoolOptions::default();
        if let Some(size) = self.size {
            options = options.size(size);
        }
        if let Some(waiting) = self.max_waiting {
            options = options.max_waiting(waiting);
        }
        if let Some(timeout) = self.connect_timeout {
            options = options.connect_timeout(timeout);
        }
        if let Some(idle) = self.check_after_idle {
            options = options.check_after_idle(idle);
        }
        if let Some(timeout) = self.check_timeout {
            options = options.check_timeout(timeout);
        }
        if let Some(lifetime) = self.max_lifetime {
            options = options.max_lifetime(lifetime);
        }
        if let Some(idle) = self.max_idle {
            options = options.max_idle(idle);
        }
        options
    }

    /// The address, with what is said here of where it leads.
    #[must_use]
    pub fn apply_to(&self, mut address: Address) -> Address {
        if let Some(endpoint) = self.pooler {
            address = address.with_endpoint(endpoint);
        }
        if let Some(mode) = self.statements {
            address = address.with_statements(mode);
        }
        if let Some(file) = &self.ca_file {
            address = address.with_ca_file(file.clone());
        }
        address
    }

    /// The same for the address of a MySQL or `MariaDB` server.
    #[must_use]
    pub fn apply_to_mysql(&self, mut address: MySqlAddress) -> MySqlAddress {
        if let Some(endpoint) = self.pooler {
            address = address.with_proxy(endpoint != Endpoint::Direct);
        }
        if let Some(mode) = self.statements {
            address = address.with_statements(mode);
        }
        if let Some(file) = &self.ca_file {
            address = address.with_ca_file(file.clone());
        }
        address
    }

    /// Whether what stands before the server knows PostgreSQL only.
    pub(super) fn is_of_postgres(&self) -> bool {
        matches!(
            self.pooler,
            Some(Endpoint::PgBouncer(_) | Endpoint::NeonPooler)
        )
    }
}

pub(super) fn pool(section: &Section<'_, '_>, folder: &Path) -> Pool {
    let number = |key, most| {
        let number = section.integer(key, 1..=most)?;
        usize::try_from(number).ok()
    };
    let pool = Pool {
        size: number("size", 1000).and_then(NonZeroUsize::new),
        max_waiting: number("max_waiting", 1_000_000),
        connect_timeout: section.parsed("connect_timeout", values::positive_duration),
        check_after_idle: section.parsed("check_after_idle", values::duration),
        check_timeout: section.parsed("check_timeout", values::positive_duration),
        max_lifetime: section.parsed("max_lifetime", values::positive_duration),
        max_idle: section.parsed("max_idle", values::positive_duration),
        pooler: section.parsed("pooler", pooler),
        statements: section.parsed("statements", statements),
        ca_file: section
            .parsed("ca_file", file)
            .map(|file| folder.join(file)),
    };
    section.finish();
    if let Some(endpoint) = pool.pooler
        && let Err(error) = endpoint.statements_for(pool.statements)
    {
        let span = section.reader.span(&section.key("statements"));
        let mistake = Mistake::new(span, error.to_string());
        section
            .reader
            .report(mistake.expected("statements = \"unnamed\", or nothing"));
    }
    pool
}

fn pooler(text: &str) -> Result<Endpoint, Invalid> {
    text.parse().map_err(|_| {
        Invalid::expected(
            "what `paceline pool doctor URL` finds: \"none\", \"pgbouncer\", \"pgbouncer-1.24\" (or its version), \
             \"rds-proxy\", \"neon\" or \"other\"",
        )
    })
}

fn statements(text: &str) -> Result<StatementMode, Invalid> {
    text.parse()
        .map_err(|_| Invalid::expected("\"named\" or \"unnamed\""))
}

fn file(text: &str) -> Result<PathBuf, Invalid> {
    match text {
        "" => Err(Invalid::expected("the path of a file in PEM form")),
        path => Ok(path.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn poolers_and_statements_by_name() {
        check(pooler, "none", Ok(Endpoint::Direct));
        check(pooler, "rds-proxy", Ok(Endpoint::RdsProxy));
        check(pooler, "pgbouncer-x", Err(None));
        check(statements, "named", Ok(StatementMode::Named));
        check(statements, "prepared", Err(None));
    }

    #[test]
    fn what_is_said_here_goes_before_the_address() {
        let pool = Pool {
            pooler: Some(Endpoint::RdsProxy),
            statements: Some(StatementMode::Unnamed),
            ca_file: Some("/srv/ca.pem".into()),
            ..Pool::default()
        };
        let address = pool.apply_to("postgres://h/d?pooler=none".parse().unwrap());
        assert_eq!(
            address,
            "postgres://h/d?pooler=rds-proxy&statements=unnamed&ca_file=/srv/ca.pem"
                .parse()
                .unwrap()
        );
        let address = pool.apply_to_mysql("mysql://h/d?pooler=none".parse().unwrap());
        assert_eq!(
            address,
            "mysql://h/d?pooler=rds-proxy&statements=unnamed&ca_file=/srv/ca.pem"
                .parse()
                .unwrap()
        );
        let same: Address = "postgres://h/d?pooler=none".parse().unwrap();
        assert_eq!(Pool::default().apply_to(same.clone()), same);
    }
}
