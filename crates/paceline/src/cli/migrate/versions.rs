//! `paceline migrate install-versions` and `remove-versions`.

use std::time::{Duration, Instant};

use clap::Args;
use paceline_data::postgres::connect::Address;
use paceline_data::postgres::versions::install::{self, InstallError, SchemaChange};

use crate::cli::Failure;
use crate::cli::confirm::{Consent, confirm};

/// How long looking at the schema may take, and how long changing it.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Debug, Args)]
#[command(after_help = "\
The address is that of the tables' owner, who may create a schema. Everything is one transaction: when a table
stays locked for five seconds, nothing is changed. Run it again after a table or a partition was added.
docs/versions.md says what the triggers cost and what they make possible.

Exit codes: 0 done or nothing to do, 1 the database refused, 2 the command line is wrong.

Examples:
  paceline migrate install-versions \"$OWNER_URL\" --print
  paceline migrate install-versions \"$OWNER_URL\" --tables posts,users --yes")]
pub(super) struct Install {
    /// The address: `postgres://user:password@host:port/database`
    // Not parsed by clap, which would print it, password and all, when it is wrong.
    #[arg(value_name = "URL")]
    url: String,
    /// These tables and views only, with their schema where it is not in the search path. Default: all
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    tables: Vec<String>,
    /// Print the SQL and change nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Everything that install-versions ever put in goes, in one transaction; the schema is then as it was before.

Example:
  paceline migrate remove-versions \"$OWNER_URL\"")]
pub(super) struct Remove {
    /// The address: `postgres://user:password@host:port/database`
    // Not parsed by clap, which would print it, password and all, when it is wrong.
    #[arg(value_name = "URL")]
    url: String,
    /// Print the SQL and change nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Install {
    pub(super) fn run(self) -> Result<(), Failure> {
        let address = address(&self.url)?;
        let looking = install::installing(&address, &self.tables, deadline());
        let change = block_on(looking)?;
        let nothing = "every change of these tables is told already: there is nothing to do";
        let done = "Servers that are started from now on listen; docs/versions.md says for what.";
        perform(
            &address,
            &change,
            self.print,
            self.consent,
            ("Put triggers on", nothing, done),
        )
    }
}

impl Remove {
    pub(super) fn run(self) -> Result<(), Failure> {
        let address = address(&self.url)?;
        let change = block_on(install::removing(&address, deadline()))?;
        let nothing = "nothing of install-versions is in this database";
        perform(
            &address,
            &change,
            self.print,
            self.consent,
            ("Take the triggers off", nothing, "They are gone."),
        )
    }
}

fn perform(
    address: &Address,
    change: &SchemaChange,
    print: bool,
    consent: Consent,
    (what, nothing, done): (&str, &str, &str),
) -> Result<(), Failure> {
    if change.is_empty() {
        println!("-- {address}: {nothing}");
        return Ok(());
    }
    for note in change.notes() {
        println!("-- note: {note}");
    }
    print!("{}", change.script());
    if print {
        return Ok(());
    }
    let count = change.tables().len();
    let tables = if count == 1 { "table" } else { "tables" };
    confirm(consent, &format!("{what} {count} {tables} of {address}?"))?;
    block_on(install::apply(address, change, deadline()))?;
    println!("-- {done}");
    Ok(())
}

fn deadline() -> Instant {
    Instant::now() + TIMEOUT
}

fn block_on<T>(doing: impl Future<Output = Result<T, InstallError>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::run(&error))?;
    runtime.block_on(doing).map_err(|error| match &error {
        InstallError::Address(_) | InstallError::NoTable(_) => Failure::usage(&error),
        _ => Failure::run(&error),
    })
}

/// Reads the address; what is wrong about it never shows the password.
fn address(text: &str) -> Result<Address, Failure> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    match scheme {
        Some("sqlite") => Err(Failure::Usage(
            "SQLite tells of every change by itself: there is nothing to install".to_owned(),
        )),
        Some("mysql" | "mariadb") => Err(Failure::Usage(
            "table versions are for PostgreSQL".to_owned(),
        )),
        _ => text.parse().map_err(|error| Failure::usage(&error)),
    }
}
