//! The suites of `cargo xtask test`: which there are, what each needs, and how they are run.

mod api;
mod browser;
mod cargo_tests;
mod checks;
mod clients;
mod demo;
mod features;
mod template;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::arguments::TestOptions;
use crate::setup::{self, Need};

/// A named part of the tests.
pub(crate) struct Suite {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it shows, in one line.
    pub(crate) about: &'static str,
    /// What must be installed before it runs.
    pub(crate) needs: &'static [Need],
    run: fn() -> Result<(), String>,
}

/// All of them, in the order they run: what is quick to fail first.
const SUITES: [Suite; 18] = [
    Suite {
        name: "format",
        about: "cargo fmt changes nothing",
        needs: &[],
        run: checks::format,
    },
    Suite {
        name: "tidy",
        about: "sizes, lints opted into, links, no machine's paths",
        needs: &[],
        run: checks::tidy,
    },
    Suite {
        name: "architecture",
        about: "crates depend in the documented direction",
        needs: &[],
        run: checks::architecture,
    },
    Suite {
        name: "deny",
        about: "licences, banned crates, sources",
        needs: &[],
        run: crate::deny::run,
    },
    Suite {
        name: "lint",
        about: "clippy finds nothing",
        needs: &[],
        run: checks::lint,
    },
    Suite {
        name: "features",
        about: "each feature builds alone",
        needs: &[],
        run: features::run,
    },
    Suite {
        name: "docs",
        about: "the documentation builds, its links and examples hold",
        needs: &[],
        run: checks::docs,
    },
    Suite {
        name: "unit",
        about: "tests beside the code",
        needs: &[Need::PythonVenv, Need::Botocore],
        run: cargo_tests::unit,
    },
    Suite {
        name: "black-box",
        about: "tests of the crates from outside, and of the real binary",
        needs: &[
            Need::Python,
            Need::Node,
            Need::Redis,
            Need::Postgres,
            Need::PgBouncer,
            Need::NewPgBouncer,
            Need::MariaDb,
            Need::VendorDrivers,
        ],
        run: cargo_tests::black_box,
    },
    Suite {
        name: "postgres-17",
        about: "the black-box tests that a PostgreSQL takes part in, on a newer one",
        needs: &[
            Need::Node,
            Need::Postgres,
            Need::NewPostgres,
            Need::PgBouncer,
            Need::NewPgBouncer,
            Need::MariaDb,
            Need::VendorDrivers,
        ],
        run: cargo_tests::newer_postgres,
    },
    Suite {
        name: "interop",
        about: "our Redis engine beside BullMQ for Node, Python and Rust, and Bull Board, on the same queues; doubles of vendors' servers under the vendors' clients",
        needs: &[
            Need::PythonVenv,
            Need::Node,
            Need::Redis,
            Need::InteropNode,
            Need::InteropPython,
            Need::InteropRust,
            Need::MariaDb,
            Need::VendorClients,
        ],
        run: cargo_tests::interop,
    },
    Suite {
        name: "lambda",
        about: "functions under AWS's own emulator and cargo-lambda's: start, timeout, stop, streams, four at once; events of npm warmers",
        needs: &[
            Need::PythonVenv,
            Need::Node,
            Need::LambdaEmulators,
            Need::Warmers,
        ],
        run: cargo_tests::lambda,
    },
    Suite {
        name: "chaos",
        about: "processes killed and frozen at random points lose no acknowledged job",
        needs: &[Need::Redis],
        run: cargo_tests::chaos,
    },
    Suite {
        name: "fuzz-bodies",
        about: "the fuzz targets' bodies on random input for some seconds each",
        needs: &[],
        run: cargo_tests::fuzz_bodies,
    },
    Suite {
        name: "api",
        about: "schemathesis against the OpenAPI documents of the demo, and of a shop on PostgreSQL and on MariaDB",
        needs: &[
            Need::PythonVenv,
            Need::Python,
            Need::Postgres,
            Need::MariaDb,
        ],
        run: api::run,
    },
    Suite {
        name: "template",
        about: "cfn-lint and AWS's SAM translator accept every template, without a warning",
        needs: &[Need::PythonVenv, Need::TemplateValidators],
        run: template::run,
    },
    Suite {
        name: "clients",
        about: "REDbot has no warning of ours; curl and h2load over HTTP/2",
        needs: &[Need::PythonVenv, Need::Http2Clients, Need::PythonClients],
        run: clients::run,
    },
    Suite {
        name: "browser",
        about: "Chromium: 304 on reload, every coding, event streams over a cut and a restart",
        needs: &[Need::PythonVenv, Need::Chromium, Need::PythonClients],
        run: browser::run,
    },
];

/// How one suite ended.
struct Ended {
    name: &'static str,
    took: Duration,
    result: Result<(), String>,
}

/// `cargo xtask test`.
pub(crate) fn run(options: &TestOptions) -> ExitCode {
    if options.list {
        for suite in &SUITES {
            println!("{:<13} {}", suite.name, suite.about);
        }
        return ExitCode::SUCCESS;
    }
    let suites = match chosen(options) {
        Ok(suites) => suites,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
    };
    let missing = match set_up(&suites, options.yes) {
        Ok(missing) => missing,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
    };
    let (left_out, runnable): (Vec<&Suite>, Vec<&Suite>) = suites
        .into_iter()
        .partition(|suite| suite.needs.iter().any(|need| missing.contains(need)));
    let ended: Vec<Ended> = runnable.into_iter().map(run_one).collect();
    report(&ended, &left_out)
}

/// The suites that were asked for; an unknown name is a mistake.
fn chosen(options: &TestOptions) -> Result<Vec<&'static Suite>, String> {
    let known = |name: &String| SUITES.iter().any(|suite| suite.name == name);
    if let Some(name) = options
        .only
        .iter()
        .chain(&options.without)
        .find(|name| !known(name))
    {
        return Err(format!("there is no suite {name:?}; --list names them"));
    }
    let wanted = |suite: &&Suite| {
        let named = options.only.is_empty() || options.only.iter().any(|name| name == suite.name);
        named && !options.without.iter().any(|name| name == suite.name)
    };
    let suites: Vec<&Suite> = SUITES.iter().filter(wanted).collect();
    if suites.is_empty() {
        return Err("nothing is left to run".to_owned());
    }
    Ok(suites)
}

/// Provides what the suites need; gives the needs that could not be met.
fn set_up(suites: &[&Suite], yes: bool) -> Result<Vec<Need>, String> {
    let mut needs: Vec<Need> = suites
        .iter()
        .flat_map(|suite| suite.needs.iter().copied())
        .collect();
    needs.sort_unstable();
    needs.dedup();
    setup::provide_what_can_be(&needs, yes)
}

fn run_one(suite: &Suite) -> Ended {
    println!("\n== {} - {}", suite.name, suite.about);
    let start = Instant::now();
    let result = (suite.run)();
    let took = start.elapsed();
    if let Err(problem) = &result {
        eprintln!("{problem}");
    }
    println!(
        "== {} {} in {:.1} s",
        suite.name,
        if result.is_ok() { "passed" } else { "FAILED" },
        took.as_secs_f64()
    );
    Ended {
        name: suite.name,
        took,
        result,
    }
}

/// Prints the table of times; the last line counts the suites.
fn report(ended: &[Ended], left_out: &[&Suite]) -> ExitCode {
    println!("\n{:<13} {:>8}", "suite", "seconds");
    for suite in ended {
        let mark = if suite.result.is_ok() { "" } else { "  FAILED" };
        println!("{:<13} {:>8.1}{mark}", suite.name, suite.took.as_secs_f64());
    }
    for suite in left_out {
        println!(
            "{:<13} {:>8}  LEFT OUT: what it needs is missing; `--without {}` accepts that",
            suite.name, "-", suite.name
        );
    }
    let failed = ended.iter().filter(|suite| suite.result.is_err()).count() + left_out.len();
    println!(
        "\nsuites: {} passed, {failed} failed",
        ended.len() + left_out.len() - failed
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], without: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let options = TestOptions {
            only: owned(only),
            without: owned(without),
            yes: false,
            list: false,
        };
        chosen(&options).map(|suites| suites.iter().map(|suite| suite.name).collect())
    }

    #[test]
    fn suites_are_chosen_by_name() {
        assert_eq!(names(&["unit", "format"], &[]), Ok(vec!["format", "unit"]));
        assert_eq!(
            names(&[], &["api"]).map(|names| names.len()),
            Ok(SUITES.len() - 1)
        );
        assert!(names(&["unti"], &[]).is_err());
        assert!(names(&["unit"], &["unit"]).is_err());
    }

    #[test]
    fn the_quick_suites_exist_and_need_nothing() {
        for name in crate::arguments::QUICK {
            let suite = SUITES.iter().find(|suite| suite.name == name).expect(name);
            assert!(suite.needs.is_empty(), "{name}");
        }
    }
}
