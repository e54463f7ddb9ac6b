//! `paceline lambda budget`: memory, timeout and provisioned concurrency from measurements.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Uri;
use paceline_deploy::budget::{
    Advice, Assumptions, Histogram, Prices, Recording, advise, plot, report,
};
use paceline_deploy::deployment::{Architecture, Entry, Times};

use super::{drive, facts, page, words};
use crate::cli::Failure;
use crate::config::duration;

/// Say which memory, timeout and provisioned concurrency measurements ask for
#[derive(Debug, Args)]
#[command(after_help = "\
--metrics reads what a server recorded since it started; --before is taken off it. With --drive it sends requests itself,
between two readings of --metrics where that is a URL. docs/budget.md shows the arithmetic on one recorded run.

Examples:
  paceline lambda budget --metrics http://127.0.0.1:8081/metrics --rate 40
  paceline lambda budget --metrics after.txt --before before.txt --entry http --json
  paceline lambda budget --drive http://127.0.0.1:8080/api/posts --metrics http://127.0.0.1:8081/metrics --svg budget.svg")]
pub(super) struct Budget {
    /// A page of metrics: a file, or the address of /metrics on the admin listener
    #[arg(long, value_name = "FILE|URL", required_unless_present = "drive")]
    metrics: Option<String>,
    /// An earlier page of the same server, which is taken off
    #[arg(
        long,
        value_name = "FILE|URL",
        requires = "metrics",
        conflicts_with = "drive"
    )]
    before: Option<String>,
    /// Send GET requests there; may be given several times
    #[arg(long, value_name = "URL")]
    drive: Vec<String>,
    /// How many requests it sends
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=10_000_000), requires = "drive")]
    requests: u32,
    /// How many of them at once; Lambda has one in each environment
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000), requires = "drive")]
    clients: u32,
    /// A configuration, for its `query_timeout` and `connect_timeout`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What leads to the function: a REST API, an HTTP API, a function URL, or nothing
    #[arg(long, default_value = "url", value_parser = words::entry())]
    entry: Entry,
    /// The processor
    #[arg(long, default_value = "arm64", value_parser = words::architecture())]
    architecture: Architecture,
    /// Requests that arrive a second, for provisioned concurrency
    #[arg(long, value_name = "N", value_parser = words::positive)]
    rate: Option<f64>,
    /// The P95 that is wanted; default: twice what one whole processor reaches
    #[arg(long, value_name = "TIME", value_parser = duration)]
    target: Option<Duration>,
    /// How many times as long Lambda's processor takes as the one that was measured
    #[arg(long, value_name = "K", default_value_t = 1.0, value_parser = words::positive)]
    vcpu_factor: f64,
    /// USD for a GB-second; default: us-east-1, November 2026
    #[arg(long, value_name = "USD", value_parser = words::positive)]
    price_gb_second: Option<f64>,
    /// USD for a million requests; default likewise
    #[arg(long, value_name = "USD", value_parser = words::positive)]
    price_requests: Option<f64>,
    /// USD for a GB-second that is kept ready; default likewise
    #[arg(long, value_name = "USD", value_parser = words::positive)]
    price_provisioned: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write a picture of the classes too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What was measured.
struct Measured {
    requests: Histogram,
    /// Seconds that were computed, and how many requests they were spent on.
    computed: Option<(f64, f64)>,
    memory: Option<f64>,
}

impl Budget {
    pub(super) fn run(self) -> Result<(), Failure> {
        let assumptions = self.assumptions()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::run(&error))?;
        let measured = runtime.block_on(self.measure())?;
        let advice = advise(
            &measured.requests,
            measured.computed,
            measured.memory,
            &assumptions,
        )
        .map_err(|error| Failure::Run(error.to_string()))?;
        self.tell(&advice)
    }

    fn assumptions(&self) -> Result<Assumptions, Failure> {
        let usual = Prices::of(self.architecture);
        let mut assumptions = Assumptions::default();
        assumptions.prices = Prices {
            gb_second: self.price_gb_second.unwrap_or(usual.gb_second),
            million_requests: self.price_requests.unwrap_or(usual.million_requests),
            provisioned_gb_second: self
                .price_provisioned
                .unwrap_or(usual.provisioned_gb_second),
        };
        assumptions.factor = self.vcpu_factor;
        assumptions.architecture = self.architecture;
        assumptions.entry = self.entry;
        assumptions.rate = self.rate;
        assumptions.target = self.target;
        assumptions.times = match &self.config {
            Some(path) => facts::times(&facts::load(path)?.0),
            None => Times::default(),
        };
        Ok(assumptions)
    }

    async fn measure(&self) -> Result<Measured, Failure> {
        let asker = page::asker();
        let read = async |flag, place: &String| page::read(&asker, flag, place).await;
        if self.drive.is_empty() {
            let Some(place) = &self.metrics else {
                return Err(Failure::Usage("give --metrics or --drive".to_owned()));
            };
            let late = read("--metrics", place).await?;
            return match &self.before {
                Some(place) => between(&read("--before", place).await?, &late),
                None => of(&late),
            };
        }
        let urls = self
            .drive
            .iter()
            .map(|text| page::url("--drive", text))
            .collect::<Result<Vec<Uri>, _>>()?;
        let place = self.metrics.as_ref().map(|place| {
            if place.contains("://") {
                return Ok(place);
            }
            Err(Failure::Usage(format!(
                "--metrics {place}: with --drive it is read before and after, so give its address"
            )))
        });
        let place = place.transpose()?;
        let early = match place {
            Some(place) => Some(read("--metrics", place).await?),
            None => None,
        };
        let (requests, clients) = (count(self.requests), count(self.clients));
        let times = drive::load(&asker, &urls, requests, clients).await?;
        match (early, place) {
            (Some(early), Some(place)) => between(&early, &read("--metrics", place).await?),
            _ => Ok(Measured {
                requests: Histogram::of_times(&times),
                computed: None,
                memory: None,
            }),
        }
    }

    fn tell(&self, advice: &Advice) -> Result<(), Failure> {
        if let Some(path) = &self.svg {
            std::fs::write(path, plot(advice)).map_err(|error| {
                Failure::Run(format!(
                    "--svg {}: it cannot be written: {error}",
                    path.display()
                ))
            })?;
        }
        if self.json {
            let text =
                serde_json::to_string_pretty(advice).map_err(|error| Failure::run(&error))?;
            println!("{text}");
        } else {
            print!("{}", report(advice));
        }
        Ok(())
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn between(early: &Recording, late: &Recording) -> Result<Measured, Failure> {
    let left = late
        .since(early)
        .map_err(|error| Failure::Usage(format!("--metrics and --before: {error}")))?;
    of(&left)
}

fn of(recording: &Recording) -> Result<Measured, Failure> {
    let requests = recording
        .requests()
        .map_err(|error| Failure::Usage(format!("--metrics: {error}")))?;
    Ok(Measured {
        requests,
        computed: recording
            .cpu
            .map(|seconds| (seconds, recording.all_requests())),
        memory: recording.memory,
    })
}
