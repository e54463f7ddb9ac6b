//! What was asked for on the command line.

/// Shown by `help` and after a mistake.
pub(crate) const HELP: &str = "\
cargo xtask COMMAND

  test [SUITE]... [--without SUITE]... [--yes] [--list]
      Sets up what the suites need, then runs them (all, or the named ones) and
      prints the time of each. It asks before it installs anything, unless --yes
      or CI=true. --without leaves a suite out knowingly; --list names them all.
  check
      The quick suites only: format, tidy, architecture, deny, lint.
  bench [--seconds N] [--runs N] [--rows NAME,...] [--quick] [--report-only] [--yes]
      Measures against the peers and writes bench/REPORT.md. `--rows jobs` measures
      jobs only and needs Node and Redis, no more.
  conformance [--peers NAME,...] [--yes]
      Asks us and the peers (nginx, Caddy, Express, Salvo, tower-http) every case of
      conformance/cases and writes conformance/RESULTS.md.
  help

Exit code: 0 all well, 1 something failed or could not be run, 2 not started.";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Run suites.
    Test(TestOptions),
    /// Measure; the arguments are the driver's own.
    Bench {
        /// Handed on to the driver.
        arguments: Vec<String>,
        /// Install what is missing without asking.
        yes: bool,
    },
    /// Ask everybody the cases of the conformance suite.
    Conformance {
        /// Handed on to the suite's program.
        arguments: Vec<String>,
        /// Install what is missing without asking.
        yes: bool,
    },
}

/// How `test` was called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// The suites to run; empty: all.
    pub(crate) only: Vec<String>,
    /// The suites to leave out.
    pub(crate) without: Vec<String>,
    /// Install what is missing without asking.
    pub(crate) yes: bool,
    /// Name the suites and stop.
    pub(crate) list: bool,
}

/// The suites of `check`, cheapest first.
pub(crate) const QUICK: [&str; 5] = ["format", "tidy", "architecture", "deny", "lint"];

/// Reads the arguments after `cargo xtask`.
pub(crate) fn parse(arguments: &[String]) -> Result<Command, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Command::Help);
    };
    match command.as_str() {
        "help" | "-h" | "--help" => Ok(Command::Help),
        "test" => parse_test(rest).map(Command::Test),
        "check" if rest.is_empty() => Ok(Command::Test(TestOptions {
            only: QUICK.iter().map(ToString::to_string).collect(),
            ..TestOptions::default()
        })),
        "check" => Err(format!(
            "check takes no arguments, and was given {}",
            rest.join(" ")
        )),
        "bench" => {
            let (arguments, yes) = without_yes(rest);
            Ok(Command::Bench { arguments, yes })
        }
        "conformance" => {
            let (arguments, yes) = without_yes(rest);
            Ok(Command::Conformance { arguments, yes })
        }
        other => Err(format!("there is no command {other:?}")),
    }
}

/// What is handed on, and whether `--yes` was among it.
fn without_yes(rest: &[String]) -> (Vec<String>, bool) {
    let handed_on: Vec<String> = rest.iter().filter(|a| *a != "--yes").cloned().collect();
    let yes = handed_on.len() < rest.len();
    (handed_on, yes)
}

fn parse_test(rest: &[String]) -> Result<TestOptions, String> {
    let mut options = TestOptions::default();
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--yes" => options.yes = true,
            "--list" => options.list = true,
            "--without" => {
                let name = rest.next().ok_or("--without needs the name of a suite")?;
                options.without.extend(name.split(',').map(str::to_owned));
            }
            flag if flag.starts_with('-') => return Err(format!("test has no flag {flag:?}")),
            name => options.only.push(name.to_owned()),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn test_collects_names_and_flags() {
        let expected = TestOptions {
            only: words("unit lint"),
            without: words("api black-box"),
            yes: true,
            list: false,
        };
        let line = words("test unit --without api,black-box lint --yes");
        assert_eq!(parse(&line), Ok(Command::Test(expected)));
    }

    #[test]
    fn bench_keeps_the_drivers_arguments_and_takes_yes_for_itself() {
        let line = words("bench --seconds 2 --yes --quick");
        let expected = Command::Bench {
            arguments: words("--seconds 2 --quick"),
            yes: true,
        };
        assert_eq!(parse(&line), Ok(expected));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("tset", "no command \"tset\""),
            ("test --fast", "no flag \"--fast\""),
            ("test --without", "needs the name"),
            ("check now", "takes no arguments"),
        ] {
            let problem = parse(&words(line)).expect_err(line);
            assert!(problem.contains(part), "{line}: {problem}");
        }
    }
}
