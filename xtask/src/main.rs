//! The project's chores: `cargo xtask test`, `cargo xtask check`, `cargo xtask bench`.
//!
//! `cargo xtask help` lists them. Nothing here is part of the product.

mod architecture;
mod arguments;
mod deny;
mod metadata;
mod process;
mod server;
mod setup;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use arguments::{Command, HELP};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match arguments::parse(&arguments) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("xtask: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Help => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        Command::Test(options) => suite::run(&options),
        Command::Bench { arguments, yes } => bench(&arguments, yes),
    }
}

/// Builds the release binary and the driver, sees that the peers are there, and measures.
fn bench(arguments: &[String], yes: bool) -> ExitCode {
    let only_report = arguments.iter().any(|a| a == "--report-only");
    if !only_report {
        if let Err(problem) = setup::provide(&setup::BENCH_NEEDS, yes) {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
        let build = [
            "build",
            "--release",
            "--package",
            "paceline",
            "--package",
            "paceline-bench",
        ];
        if let Err(problem) = process::cargo(&build).run() {
            eprintln!("xtask: {problem}");
            return ExitCode::FAILURE;
        }
    }
    let mut driver = process::cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "paceline-bench",
        "--",
    ]);
    driver.arguments(arguments);
    match driver.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
