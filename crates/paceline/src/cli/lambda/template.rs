//! `paceline lambda template`: a SAM template to standard output.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use paceline_deploy::deployment::{
    Architecture, Artifact, Deployment, Entry, Provisioned, Proxy, Source, Variable,
};
use paceline_deploy::{rules, template};

use super::{facts, words};
use crate::cli::Failure;
use crate::config::duration;

/// Write a SAM template for a configuration
#[derive(Debug, Args)]
#[command(after_help = "\
The template goes to standard output, notes and errors to standard error. What AWS would reject, or accept and then
do nothing with, is refused. Variables that the configuration names must be set, to anything of the right form: none of
their values is written. docs/deploy.md explains each part.

Examples:
  paceline lambda template > template.yaml
  paceline lambda template --name shop --entry http --vpc --proxy > template.yaml
  paceline lambda template --provisioned 0 --keep-warm off --architecture x86_64 > template.yaml")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(super) struct Template {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "paceline.toml")]
    config: PathBuf,
    /// The function's name
    #[arg(long, default_value = "paceline")]
    name: String,
    /// What leads to the function: a REST API, an HTTP API, a function URL that streams, or nothing
    #[arg(long, default_value = "url", value_parser = words::entry())]
    entry: Entry,
    /// The processor
    #[arg(long, default_value = "arm64", value_parser = words::architecture())]
    architecture: Architecture,
    /// Memory in MB, from 128 to 10240
    #[arg(long, value_name = "MB", default_value_t = 512)]
    memory: u32,
    /// How long an invocation may take
    #[arg(long, value_name = "TIME", default_value = "28s", value_parser = duration)]
    timeout: Duration,
    /// How long before the timeout the service answers 503
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = duration)]
    margin: Duration,
    /// After how long the database behind a proxy ends a statement; default: `query_timeout` of the configuration
    #[arg(long, value_name = "TIME", value_parser = duration)]
    statement_timeout: Option<Duration>,
    /// Environments kept ready; 0 for none
    #[arg(long, value_name = "N", default_value_t = 5)]
    provisioned: u32,
    /// How many at most, when most of them are in use; default: four times as many
    #[arg(long, value_name = "N")]
    provisioned_most: Option<u32>,
    /// The most environments at once; default 50 where they connect to the database themselves, else no bound
    #[arg(long, value_name = "N")]
    concurrency: Option<NonZeroU32>,
    /// Connections that the database lets in; default: what it lets in when it is installed
    #[arg(long, value_name = "N")]
    max_connections: Option<u32>,
    /// How often a schedule keeps the function warm, or "off"
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = period)]
    keep_warm: KeepWarm,
    /// The alias that callers reach
    #[arg(long, value_name = "NAME", default_value = "live")]
    alias: String,
    /// No versions and no alias: callers reach what was uploaded last
    #[arg(long, conflicts_with = "alias")]
    no_alias: bool,
    /// Start from a snapshot (container images only, and not with provisioned concurrency)
    #[arg(long)]
    snap_start: bool,
    /// A container image instead of a zip
    #[arg(long)]
    image: bool,
    /// Give the function an address in the database's VPC
    #[arg(long)]
    vpc: bool,
    /// Put an RDS Proxy before the database
    #[arg(long)]
    proxy: bool,
    /// Log in at the proxy with tokens of the function's role
    #[arg(long, requires = "proxy")]
    iam: bool,
    /// How long a statement waits for one of the proxy's connections
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    borrow_timeout: Duration,
    /// Read a variable from the parameter store instead of the secret; may be given several times
    #[arg(long = "ssm", value_name = "NAME=PATH", value_parser = parameter)]
    parameters: Vec<Variable>,
    /// Let callers without AWS credentials through
    #[arg(long)]
    public: bool,
    /// How many days log lines are kept
    #[arg(long, value_name = "N", default_value_t = 14)]
    log_days: u32,
}

/// A period, or none.
#[derive(Debug, Clone, Copy)]
struct KeepWarm(Option<Duration>);

fn period(text: &str) -> Result<KeepWarm, String> {
    match text {
        "off" => Ok(KeepWarm(None)),
        _ => duration(text)
            .map(|period| KeepWarm(Some(period)))
            .map_err(|problem| format!("{problem}, or \"off\"")),
    }
}

fn parameter(text: &str) -> Result<Variable, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(Variable {
            name: name.to_owned(),
            source: Source::Parameter(path.to_owned()),
        }),
        _ => Err("expected a variable and a path, such as SHOP_REGION=/shop/region".to_owned()),
    }
}

impl Template {
    pub(super) fn run(self) -> Result<(), Failure> {
        let deployment = self.deployment()?;
        let refusals = rules::refusals(&deployment);
        if !refusals.is_empty() {
            let list: Vec<String> = refusals
                .iter()
                .map(|refusal| format!("  {refusal}"))
                .collect();
            return Err(Failure::Usage(format!(
                "it cannot be deployed like this:\n{}",
                list.join("\n")
            )));
        }
        for note in rules::notes(&deployment) {
            eprintln!("note: {note}");
        }
        print!("{}", template::write(&deployment));
        Ok(())
    }

    fn deployment(&self) -> Result<Deployment, Failure> {
        let (config, variables) = facts::load(&self.config)?;
        let mut deployment = facts::deployment(&self.name, &config, variables);
        deployment.architecture = self.architecture;
        deployment.artifact = if self.image {
            Artifact::Image
        } else {
            Artifact::Zip
        };
        deployment.memory = self.memory;
        deployment.entry = self.entry;
        deployment.public = self.public;
        deployment.alias = (!self.no_alias).then(|| self.alias.clone());
        deployment.provisioned = NonZeroU32::new(self.provisioned).map(|usual| Provisioned {
            usual,
            most: match self.provisioned_most.map(NonZeroU32::new) {
                Some(most) => most.unwrap_or(NonZeroU32::MIN),
                None => usual.saturating_mul(NonZeroU32::MIN.saturating_add(3)),
            },
        });
        deployment.snap_start = self.snap_start;
        deployment.reserved = match (self.concurrency, self.proxy) {
            (None, false) => deployment.reserved,
            (given, _) => given,
        };
        deployment.keep_warm = self.keep_warm.0;
        deployment.vpc = self.vpc;
        deployment.proxy = self.proxy.then_some(Proxy {
            borrow: self.borrow_timeout,
            iam: self.iam,
        });
        deployment.log_days = self.log_days;
        if let Some(most) = self.max_connections {
            deployment.database.max_connections = most;
        }
        deployment.times.function = self.timeout;
        deployment.times.request = self.timeout.saturating_sub(self.margin);
        if let Some(statement) = self.statement_timeout {
            deployment.times.statement = statement;
        }
        for given in &self.parameters {
            deployment
                .variables
                .retain(|variable| variable.name != given.name);
            deployment.variables.push(given.clone());
        }
        Ok(deployment)
    }
}
