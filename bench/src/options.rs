//! The command line.

/// Shown after a mistake.
pub(crate) const HELP: &str = "\
cargo xtask bench [OPTION]...
  --seconds N    how long each contender is loaded in each run (30)
  --warm-up N    how long before that, unmeasured (3)
  --runs N       runs; medians are reported (3)
  --rows A,B     only these: ceilings, limit, limiter, startup, export, layers-instructions,
                 layers-idle-streams, jobs, pool, postgres, mariadb, and the names of rows in the report
  --export-rows N  rows of the export (1000000)
  --jobs N       jobs in each measurement of jobs, at most 5 s of them (100000)
  --deep N       jobs that wait in the row jobs-depth and are worked off in jobs-memory (1000000)
  --quick        2 s, 1 s warm-up, 1 run, 100000 exported rows, 5000 jobs, 20000 of them where they are
                 many: to see that it works
  --report-only  write the report again from bench/results/latest.json";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Measure and report.
    Measure(Options),
    /// Report what was measured before.
    ReportOnly,
    /// Be the server of constant answers.
    Constant(Vec<String>),
    /// Be the process whose instructions are counted.
    Limit(Vec<String>),
    /// Be the process whose layers' instructions are counted.
    Layers(Vec<String>),
    /// Be the server of idle streams.
    IdleServer(Vec<String>),
    /// Be the clients of idle streams.
    IdleClients(Vec<String>),
    /// Be the process whose decisions are counted.
    Limiter(Vec<String>),
    /// Be the process that adds and works off jobs.
    Jobs(Vec<String>),
    /// Be what is written by hand.
    PostgresHandler(Vec<String>),
    /// The same on `MariaDB`.
    MariaDbHandler(Vec<String>),
}

/// How to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Seconds of load for each contender and run.
    pub(crate) seconds: u64,
    /// Seconds of load before that.
    pub(crate) warm_up: u64,
    /// Runs of each row.
    pub(crate) runs: usize,
    /// Rows of the exported table.
    pub(crate) export_rows: u32,
    /// Jobs in each measurement.
    pub(crate) jobs: u32,
    /// Jobs where it is about many.
    pub(crate) deep: u32,
    /// Only these rows; empty: all.
    pub(crate) rows: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seconds: 30,
            warm_up: 3,
            runs: 3,
            export_rows: 1_000_000,
            jobs: 100_000,
            deep: 1_000_000,
            rows: Vec::new(),
        }
    }
}

impl Options {
    /// Whether the row of that name was asked for.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|name| name == row)
    }

    /// Whether anything was asked for whose name begins with that of the group.
    pub(crate) fn wants_group(&self, group: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|name| name.starts_with(group))
    }

    /// The same, every row asked for where the name of the group was given.
    pub(crate) fn with_group(&self, group: &str) -> Self {
        let mut options = self.clone();
        if options.rows.iter().any(|name| name == group) {
            options.rows.clear();
        }
        options
    }

    /// Whether anything was asked for that is about the server and its shop: neither jobs, nor the layers alone, nor a
    /// pool, nor another database.
    pub(crate) fn wants_the_server(&self) -> bool {
        let is_apart = |name: &String| {
            let apart = ["jobs", "layers", "pool", "postgres", "mariadb"];
            apart.iter().any(|start| name.starts_with(start))
        };
        self.rows.is_empty() || !self.rows.iter().all(is_apart)
    }

    /// How often the wait of a single job is measured.
    pub(crate) fn samples(&self) -> u32 {
        (self.jobs / 100).max(100)
    }
}

/// Reads the arguments.
pub(crate) fn parse(arguments: &[String]) -> Result<Mode, String> {
    match arguments.split_first() {
        Some((first, rest)) if first == "constant" => return Ok(Mode::Constant(rest.to_vec())),
        Some((first, rest)) if first == "limit" => return Ok(Mode::Limit(rest.to_vec())),
        Some((first, rest)) if first == "layers" => return Ok(Mode::Layers(rest.to_vec())),
        Some((first, rest)) if first == "idle-server" => {
            return Ok(Mode::IdleServer(rest.to_vec()));
        }
        Some((first, rest)) if first == "idle-clients" => {
            return Ok(Mode::IdleClients(rest.to_vec()));
        }
        Some((first, rest)) if first == "limiter" => return Ok(Mode::Limiter(rest.to_vec())),
        Some((first, rest)) if first == "jobs" => return Ok(Mode::Jobs(rest.to_vec())),
        Some((first, rest)) if first == "postgres-handler" => {
            return Ok(Mode::PostgresHandler(rest.to_vec()));
        }
        Some((first, rest)) if first == "mariadb-handler" => {
            return Ok(Mode::MariaDbHandler(rest.to_vec()));
        }
        _ => {}
    }
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--report-only" => return Ok(Mode::ReportOnly),
            "--quick" => {
                let rows = std::mem::take(&mut options.rows);
                options = Options {
                    seconds: 2,
                    warm_up: 1,
                    runs: 1,
                    export_rows: 100_000,
                    jobs: 5_000,
                    deep: 20_000,
                    rows,
                };
            }
            "--seconds" => options.seconds = number(argument, rest.next())?,
            "--warm-up" => options.warm_up = number(argument, rest.next())?,
            "--runs" => options.runs = number(argument, rest.next())?,
            "--export-rows" => options.export_rows = number(argument, rest.next())?,
            "--jobs" => options.jobs = number(argument, rest.next())?,
            "--deep" => options.deep = number(argument, rest.next())?,
            "--rows" => {
                let names = rest.next().ok_or("--rows needs names")?;
                options.rows.extend(names.split(',').map(str::to_owned));
            }
            other => return Err(format!("there is no option {other:?}")),
        }
    }
    Ok(Mode::Measure(options))
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    name: &str,
    value: Option<&String>,
) -> Result<T, String> {
    let number = value
        .and_then(|value| value.parse::<T>().ok())
        .filter(|number| *number >= T::from(1));
    number.ok_or_else(|| format!("{name} needs a number of at least 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Mode, String> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn options_are_read() {
        let options = Options {
            runs: 5,
            rows: vec!["list".into(), "export".into()],
            ..Options::default()
        };
        assert_eq!(
            parsed("--runs 5 --rows list,export"),
            Ok(Mode::Measure(options))
        );
        assert_eq!(parsed("--report-only"), Ok(Mode::ReportOnly));
        for wrong in ["--runs", "--runs 0", "--runs x", "--fast", "--rows"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_group_is_all_of_its_rows() {
        let options = |rows: &[&str]| Options {
            rows: rows.iter().map(|row| (*row).to_owned()).collect(),
            ..Options::default()
        };
        for (rows, wanted, object) in [
            (&["postgres"][..], true, true),
            (&["postgres-object"], true, true),
            (&["postgres-list", "pool"], true, false),
            (&["list"], false, false),
            (&["mariadb"], false, false),
            (&[], true, true),
        ] {
            let options = options(rows);
            assert_eq!(options.wants_group("postgres"), wanted, "{rows:?}");
            let within = options.with_group("postgres");
            assert_eq!(within.wants("postgres-object"), object, "{rows:?}");
        }
        assert!(!options(&["postgres-list", "pool", "mariadb"]).wants_the_server());
    }

    #[test]
    fn quick_keeps_the_chosen_rows() {
        let Ok(Mode::Measure(options)) = parsed("--rows list --quick") else {
            panic!("not measured")
        };
        assert!(options.wants("list") && !options.wants("export") && options.seconds == 2);
    }
}
