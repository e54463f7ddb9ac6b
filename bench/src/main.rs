//! Measures Paceline beside its peers on this machine, and writes `bench/REPORT.md`.
//!
//! `cargo xtask bench` builds and starts it. Contenders of one row are measured in turns within one
//! run, so that what the machine does besides falls on all of them; medians of the runs are reported.

mod ceiling;
mod constant;
mod contender;
mod export;
mod http;
mod jobs;
mod layers;
mod limit;
mod limiter;
mod load;
mod machine;
mod mariadb;
mod options;
mod places;
mod pool;
mod postgres;
mod report;
mod results;
mod rows;
mod server;
mod startup;

use std::process::ExitCode;

use options::{Mode, Options};
use results::Results;

/// What goes wrong here is told to the person who measures.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match options::parse(&arguments) {
        Ok(Mode::Measure(options)) => measure(&options),
        Ok(Mode::ReportOnly) => Results::read().and_then(|results| report::write(&results)),
        Ok(Mode::Constant(arguments)) => constant::serve(&arguments),
        Ok(Mode::Limit(arguments)) => limit::call(&arguments),
        Ok(Mode::Layers(arguments)) => layers::call(&arguments),
        Ok(Mode::IdleServer(arguments)) => layers::serve(&arguments),
        Ok(Mode::IdleClients(arguments)) => layers::connect(&arguments),
        Ok(Mode::Limiter(arguments)) => limiter::run(&arguments),
        Ok(Mode::PostgresHandler(arguments)) => postgres::handler::serve(&arguments),
        Ok(Mode::MariaDbHandler(arguments)) => mariadb::handler::serve(&arguments),
        Ok(Mode::Jobs(arguments)) => jobs::ours::run(&arguments),
        Err(problem) => Err(format!("{problem}\n\n{}", options::HELP)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("paceline-bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Outcome<()> {
    let mut results = Results::new(options);
    if options.wants_the_server() {
        measure_http(options, &mut results)?;
    }
    layers::measure(options, &mut results)?;
    jobs::measure(options, &mut results)?;
    pool::measure(options, &mut results)?;
    postgres::measure(options, &mut results)?;
    mariadb::measure(options, &mut results)?;
    results.write()?;
    report::write(&results)
}

/// Everything about the server: its rows share one shop.
fn measure_http(options: &Options, results: &mut Results) -> Outcome<()> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let data = contender::prepare(folder.path(), options)?;
    if options.wants("ceilings") {
        ceiling::measure(&data, results)?;
    }
    if options.wants("limit") {
        limit::measure(results)?;
    }
    if options.wants("limiter") {
        limiter::measure(options, results)?;
    }
    if options.wants("startup") {
        startup::measure(&data, options, results)?;
    }
    if options.wants("export") {
        export::measure(&data, options, results)?;
    }
    rows::measure(&data, options, results)
}
