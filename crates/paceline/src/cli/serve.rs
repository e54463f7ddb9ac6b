//! `paceline serve` and `paceline check`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::config::{Config, DatabaseUrl};
use crate::server::{self, Bound, Ephemeral, SecretOrigin};

/// Serve the tables of a database.
#[derive(Debug, Args)]
#[command(after_help = "\
With a URL every table is served read-only under /api/{table} and /api/export/{table}.
With a configuration, what it says. With neither, ./paceline.toml is read.

With a URL the key that signs cursors is PACELINE_SECRET, or a file of this database in the state folder:
$PACELINE_STATE_DIR, else $XDG_STATE_HOME/paceline, else $HOME/.local/state/paceline. The database file
is never changed.")]
pub(super) struct Serve {
    #[arg(
        conflicts_with = "config",
        help = "The database, such as sqlite:my.db, postgres://user@host/shop or mysql://user@host/shop"
    )]
    url: Option<String>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the API answers, instead of the configuration's address; port 0 chooses a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where /metrics answers, or "off"
    #[arg(long, value_name = "ADDR", value_parser = admin_address)]
    admin_listen: Option<AdminAddress>,
    /// Allow an address that other machines reach, although nobody has to log in
    #[arg(long)]
    public: bool,
}

/// Check a configuration.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "paceline.toml")]
    config: PathBuf,
}

/// An address, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdminAddress(pub(super) Option<SocketAddr>);

pub(super) fn admin_address(text: &str) -> Result<AdminAddress, String> {
    match text {
        "off" => Ok(AdminAddress(None)),
        _ => text
            .parse()
            .map(|address| AdminAddress(Some(address)))
            .map_err(|_| "expected an address such as 127.0.0.1:8081, or \"off\"".to_owned()),
    }
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut config = match (&self.url, &self.config) {
            (Some(url), _) => {
                let url: DatabaseUrl = url
                    .parse()
                    .map_err(|error| Failure::Usage(format!("{error}")))?;
                Config::of_database(url)
            }
            (None, Some(path)) => load(path)?,
            (None, None) if Path::new("paceline.toml").exists() => {
                load(Path::new("paceline.toml"))?
            }
            (None, None) => {
                let text = "give a database (paceline serve sqlite:my.db, postgres://user@host/shop or mysql://user@host/shop) or a configuration (--config FILE); \
                            there is no paceline.toml in this folder";
                return Err(Failure::Usage(text.to_owned()));
            }
        };
        if let Some(address) = self.listen {
            config.server.listen = address;
        }
        if let Some(AdminAddress(address)) = self.admin_listen {
            config.server.admin_listen = address;
        }
        if let Some(place) = super::lambda_place()? {
            return super::serve_on_lambda(config, &place, Ephemeral::Refused);
        }
        check_reach(&config.server, self.public)?;
        check_reach_of_sql(config.sql.as_ref(), self.public)?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::run(&error))?;
        runtime
            .block_on(server::run(config, announce))
            .map_err(|error| Failure::serving(&error))
    }
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = load(&self.config)?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::run(&error))?;
        let describing =
            async { tokio::task::spawn_blocking(move || server::describe(&config)).await };
        let summary = runtime
            .block_on(describing)
            .map_err(|error| Failure::run(&error))?
            .map_err(|error| Failure::opening(&error))?;
        println!("{} is fine.\n{summary}", self.config.display());
        Ok(())
    }
}

pub(super) fn load(path: &Path) -> Result<Config, Failure> {
    Config::load(path).map_err(|error| unloadable(&error))
}

/// A configuration that cannot be used is wrong usage.
pub(super) fn unloadable(error: &crate::config::LoadError) -> Failure {
    match error {
        crate::config::LoadError::Mistakes(_) => {
            Failure::Usage(format!("the configuration has mistakes\n{error}"))
        }
        _ => match Failure::run(error) {
            Failure::Run(text) | Failure::Usage(text) => Failure::Usage(text),
        },
    }
}

/// Refuses addresses that other machines reach unless that is meant: neither the API nor `/metrics`
/// asks who is there.
pub(super) fn check_reach(server: &crate::config::Server, public: bool) -> Result<(), Failure> {
    let addresses = [Some(server.listen), server.admin_listen];
    let reached = addresses
        .into_iter()
        .flatten()
        .find(|address| !address.ip().is_loopback());
    match reached {
        Some(address) if !public => Err(Failure::Usage(format!(
            "{address} can be reached by other machines, and nobody has to log in: give --public if that is meant"
        ))),
        _ => Ok(()),
    }
}

/// The same for `[sql]`, which asks who is there, but over connections that are not encrypted.
fn check_reach_of_sql(sql: Option<&crate::config::Sql>, public: bool) -> Result<(), Failure> {
    match sql {
        Some(sql) if !sql.listen.ip().is_loopback() && !public => Err(Failure::Usage(format!(
            "{} of [sql] can be reached by other machines, and passwords go there unencrypted: give --public if that is meant",
            sql.listen
        ))),
        _ => Ok(()),
    }
}

fn announce(bound: &Bound) {
    println!("API:     http://{}/api/", bound.api);
    if let Some(admin) = bound.admin {
        println!("Metrics: http://{admin}/metrics");
    }
    if let Some(sql) = bound.sql {
        println!("SQL:     http://{sql}/sql");
    }
    match &bound.secret {
        SecretOrigin::KeyFile(path) => println!("Key:     {}", path.display()),
        SecretOrigin::Process { reason } => println!(
            "warning: cursors and login tokens end with this process: {reason}. \
             Set PACELINE_STATE_DIR to a folder that can be written, or PACELINE_SECRET."
        ),
        _ => {}
    }
    for path in &bound.resources {
        println!("  http://{}/api/{path}", bound.api);
    }
    if bound.resources.is_empty() {
        println!(
            "warning: nothing is served: the database has no table that may be read here. The role of a server needs \
             rights, such as GRANT SELECT ON ALL TABLES IN SCHEMA public TO app."
        );
    }
    for hidden in &bound.hidden {
        println!(
            "  hidden because of its name: {}.{}",
            hidden.resource, hidden.column
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, admin: Option<&str>, expected: bool) {
        let server = crate::config::Server {
            listen: listen.parse().unwrap(),
            admin_listen: admin.map(|address| address.parse().unwrap()),
            ..Default::default()
        };
        assert_eq!(
            check_reach(&server, false).is_ok(),
            expected,
            "{listen} {admin:?}"
        );
        assert!(check_reach(&server, true).is_ok());
    }

    #[test]
    fn other_machines_are_only_answered_when_that_is_meant() {
        check("127.0.0.1:80", None, true);
        check("[::1]:80", Some("127.0.0.2:81"), true);
        check("0.0.0.0:80", None, false);
        check("[::]:80", None, false);
        check("192.0.2.1:80", None, false);
        check("127.0.0.1:80", Some("0.0.0.0:81"), false);
    }
}
