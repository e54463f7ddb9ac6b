//! The command line.

mod confirm;
mod demo;
mod init;
mod jobs;
mod lambda;
mod migrate;
mod mistake;
mod pool;
mod secret;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use paceline_serverless::Place;

use crate::config::Config;
use crate::server::{self, Ephemeral, ServeError, Unopenable};

/// Fast HTTP APIs in front of a database.
#[derive(Debug, Parser)]
#[command(name = "paceline", version, about, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Examples:
  paceline demo
  paceline serve sqlite:my.db
  paceline init my-service
  paceline serve --config paceline.toml --listen 127.0.0.1:9000
  paceline check --config paceline.toml
  paceline jobs list --url sqlite:paceline-demo/jobs.db
  paceline pool doctor postgres://app@db.example.com/shop
  paceline migrate install-versions postgres://owner@db.example.com/shop
  paceline secret api-key --name importer --principal 7
  paceline lambda template --config paceline.toml

Exit codes: 0 done, 1 it could not run, 2 the command line or the configuration is wrong.
PACELINE_SECRET is the secret that signs cursors and login tokens, instead of the key file: 64 hexadecimal
digits, or a passphrase of at least 32 characters.
PACELINE_LOG sets what is logged (error, warn, info, debug; default info).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a shop and serve it
    Demo(demo::DemoCommand),
    /// Serve the tables of a database
    Serve(serve::Serve),
    /// Check a configuration and say what it serves
    Check(serve::Check),
    /// See and change the jobs of a store
    Jobs(Box<jobs::Jobs>),
    /// See what connections to a database lead to
    Pool(pool::Pool),
    /// Change the schema of a database for Paceline, and back
    Migrate(migrate::Migrate),
    /// Make keys that programs send
    Secret(secret::Secret),
    /// Write a configuration and a small database to start from
    Init(init::Init),
    /// Put a service on AWS Lambda: template, package, budget
    Lambda(Box<lambda::Lambda>),
}

/// Reads the process's arguments and runs what they ask for.
pub fn run() -> ExitCode {
    let given = lambda::arguments(std::env::args_os(), &|name| std::env::var_os(name));
    let arguments = match Arguments::try_parse_from(given) {
        Ok(arguments) => arguments,
        Err(error) => mistake::without_secrets(error).exit(),
    };
    crate::logging::start();
    let done = match arguments.command {
        Command::Demo(demo) => demo.run(),
        Command::Init(init) => init.run(),
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Jobs(jobs) => jobs.run(),
        Command::Lambda(lambda) => lambda.run(),
        Command::Pool(pool) => pool.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Secret(secret) => secret.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

/// The function this runs as, when it does.
fn lambda_place() -> Result<Option<Place>, Failure> {
    let place = Place::current().map_err(|error| Failure::usage(&error))?;
    Ok(place.is_lambda().then_some(place))
}

/// Answers a function's events. What keeps it from starting is told to the platform as well.
fn serve_on_lambda(config: Config, place: &Place, ephemeral: Ephemeral) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::run(&error))?;
    let ran = runtime.block_on(async {
        let ran = server::run_on_lambda(config, place, ephemeral).await;
        if let Err(error) = &ran
            && !matches!(error, ServeError::Serverless(_))
            && let Err(untold) = paceline_serverless::report_failed_start(error).await
        {
            tracing::warn!(%untold, "the platform could not be told why the function does not start");
        }
        ran
    });
    ran.map_err(|error| Failure::serving(&error))
}

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// It could not run.
    Run(String),
}

impl Failure {
    /// An error with all its causes.
    pub(crate) fn run(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            text.push_str("\n  because: ");
            text.push_str(&next.to_string());
            cause = next.source();
        }
        Self::Run(text)
    }

    /// What was asked for is wrong, with all its causes.
    pub(crate) fn usage(error: &dyn std::error::Error) -> Self {
        match Self::run(error) {
            Self::Run(text) | Self::Usage(text) => Self::Usage(text),
        }
    }

    /// A service that cannot be opened: wrong usage where the configuration is the reason.
    pub(crate) fn opening(error: &Unopenable) -> Self {
        match Self::run(error) {
            Self::Run(text) if error.is_misconfigured() => Self::Usage(text),
            failure => failure,
        }
    }

    /// A service that ended in an error, or never began.
    pub(crate) fn serving(error: &ServeError) -> Self {
        match error {
            ServeError::Open(unopenable) => Self::opening(unopenable),
            ServeError::Lambda(_) => Self::usage(error),
            _ => Self::run(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Run(_) => ExitCode::from(1),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(text) | Self::Run(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
