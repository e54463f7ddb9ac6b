//! The project's chores: `cargo xtask test`, `cargo xtask check`, `cargo xtask bench`,
//! `cargo xtask conformance`.
//!
//! `cargo xtask help` lists them. Nothing here is part of the product.

mod architecture;
mod arguments;
mod bench;
mod conformance;
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
        Command::Bench { arguments, yes } => bench::run(&arguments, yes),
        Command::Conformance { arguments, yes } => conformance::run(&arguments, yes),
    }
}
