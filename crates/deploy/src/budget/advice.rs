//! From measurements and assumptions to advice.

use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use super::model::{CLASSES, WHOLE_PROCESSOR, predicted};
use super::price::Prices;
use crate::deployment::{Architecture, Entry, Times};

/// The service is initialised again inside an invocation when the one before was cut off: up to so long.
const INITIALISATION: Duration = Duration::from_secs(1);
/// Memory is enough when this much of what was measured fits in: requests at other times may need more.
const ROOM: f64 = 1.5;

/// What cannot be measured here, and what is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Assumptions {
    /// How many times as long Lambda's processor takes as the one that was measured. Default 1.
    pub factor: f64,
    /// The processor of the function. Default arm64.
    pub architecture: Architecture,
    /// What leads to the function. Default a function URL.
    pub entry: Entry,
    /// How long connecting and queries may take, and what the service keeps of the timeout.
    pub times: Times,
    /// Requests a second that arrive. Default unknown.
    pub rate: Option<f64>,
    /// The P95 that is wanted. Default: twice what one whole processor reaches.
    pub target: Option<Duration>,
    /// What it costs. Default: [`Prices::of`] the architecture.
    pub prices: Prices,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            factor: 1.0,
            architecture: Architecture::Arm64,
            entry: Entry::Url,
            times: Times::default(),
            rate: None,
            target: None,
            prices: Prices::of(Architecture::Arm64),
        }
    }
}

/// There is nothing to advise from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAdvice {
    /// No requests.
    #[error(
        "the recording has no requests that count (health and stream are left out): send some first, or use --drive URL"
    )]
    NoRequests,
    /// The slowest requests are slower than what the buckets tell.
    #[error(
        "more than one request in twenty took longer than the last bucket tells: P95 is unknown; mend that first"
    )]
    TooSlow,
}

/// What was measured, and what follows from it. Times in milliseconds, prices in US dollars.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Advice {
    /// Requests that count.
    pub requests: f64,
    /// Wall time as measured: average, P50, P95, P99.
    pub wall_ms: [f64; 4],
    /// Processor time of a request, on average.
    pub cpu_ms: f64,
    /// Whether processor time was measured; else all of the time counts as computed.
    pub cpu_measured: bool,
    /// Memory as measured, in MB.
    pub memory_mb: Option<f64>,
    /// The P95 that is wanted.
    pub target_p95_ms: f64,
    /// What each memory class would give.
    pub classes: Vec<Class>,
    /// The memory to use, in MB.
    pub memory: u32,
    /// Whether that class reaches the wanted P95.
    pub target_met: bool,
    /// The function's timeout.
    pub timeout: Timeout,
    /// How much to keep ready; `None` where no rate is known.
    pub provisioned: Option<Provision>,
    /// What this rests on, a sentence each.
    pub assumed: Vec<String>,
}

/// One memory class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Class {
    /// In MB.
    pub memory: u32,
    /// What it is usual for.
    pub usual_for: &'static str,
    /// The average.
    pub mean_ms: f64,
    /// P50.
    pub p50_ms: f64,
    /// P95.
    pub p95_ms: f64,
    /// P99.
    pub p99_ms: f64,
    /// A million requests.
    pub million_usd: f64,
    /// Whether the measured memory and half of it again fits in.
    pub fits: bool,
}

/// A timeout, and what decided it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timeout {
    /// In seconds.
    pub seconds: u64,
    /// Twice the P95, in seconds.
    pub twice_p95: f64,
    /// The least that the bounds inside it ask for, in seconds.
    pub least: u64,
    /// The most that what stands before it allows, in seconds.
    pub most: u64,
    /// What decided.
    pub decided_by: Bound,
}

/// What decided a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Twice the P95.
    TwiceP95,
    /// An initialisation, a wait for a connection, a query and the margin must fit in.
    Least,
    /// The gateway, or Lambda itself.
    Most,
}

/// Environments kept ready, by Little's law: what arrives a second times the seconds each stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Provision {
    /// Requests a second.
    pub rate: f64,
    /// Environments busy on average.
    pub busy: f64,
    /// How many to keep ready: counted with the P95, one at least.
    pub environments: u32,
    /// What they cost a month.
    pub month_usd: f64,
}

/// What follows from these latencies, this processor time of all requests together (in seconds), and this memory (in
/// bytes).
///
/// `computed` has the seconds and the number of requests they were spent on.
pub fn advise(
    requests: &Histogram,
    computed: Option<(f64, f64)>,
    memory: Option<f64>,
    assumptions: &Assumptions,
) -> Result<Advice, NoAdvice> {
    if requests.count() < 1.0 {
        return Err(NoAdvice::NoRequests);
    }
    if requests.is_beyond(0.95) {
        return Err(NoAdvice::TooSlow);
    }
    let wall = [
        requests.mean(),
        requests.quantile(0.5),
        requests.quantile(0.95),
        requests.quantile(0.99),
    ];
    let cpu = match computed {
        Some((seconds, number)) if number >= 1.0 => Some(seconds / number),
        _ => None,
    };
    let at =
        |memory| wall.map(|wall| predicted(wall, cpu.unwrap_or(wall), memory, assumptions.factor));
    let megabytes = memory.map(|bytes| bytes / f64::from(1 << 20));
    let target = assumptions.target.map_or_else(
        || 2.0 * at(WHOLE_PROCESSOR)[2],
        |target| target.as_secs_f64(),
    );
    let classes: Vec<Class> = CLASSES
        .iter()
        .map(|&(memory, usual_for)| {
            let [mean, p50, p95, p99] = at(memory);
            Class {
                memory,
                usual_for,
                mean_ms: mean * 1e3,
                p50_ms: p50 * 1e3,
                p95_ms: p95 * 1e3,
                p99_ms: p99 * 1e3,
                million_usd: assumptions.prices.million(memory, mean),
                fits: megabytes.is_none_or(|measured| measured * ROOM <= f64::from(memory)),
            }
        })
        .collect();
    let (chosen, target_met) = choose(&classes, target * 1e3);
    let p95 = chosen.p95_ms / 1e3;
    Ok(Advice {
        requests: requests.count(),
        wall_ms: wall.map(|seconds| seconds * 1e3),
        cpu_ms: cpu.unwrap_or(wall[0]) * 1e3,
        cpu_measured: cpu.is_some(),
        memory_mb: megabytes,
        target_p95_ms: target * 1e3,
        memory: chosen.memory,
        target_met,
        timeout: timeout(p95, assumptions),
        provisioned: assumptions
            .rate
            .map(|rate| provision(rate, chosen, assumptions)),
        assumed: assumed(cpu.is_some(), megabytes, assumptions),
        classes,
    })
}

/// The cheapest class that has room and reaches the target; where none does, the quickest that has room.
fn choose(classes: &[Class], target: f64) -> (&Class, bool) {
    let cheapest = classes
        .iter()
        .filter(|class| class.fits && class.p95_ms <= target)
        .min_by(|a, b| a.million_usd.total_cmp(&b.million_usd));
    match (cheapest, classes.last()) {
        (Some(class), _) => (class, true),
        (None, Some(largest)) => (largest, false),
        (None, None) => unreachable!("there are five classes"),
    }
}

fn timeout(p95: f64, assumptions: &Assumptions) -> Timeout {
    let times = assumptions.times;
    let margin = times.function.saturating_sub(times.request);
    let least = up(INITIALISATION + times.pool + times.query + margin);
    let most = assumptions.entry.limit().as_secs() - 1;
    let twice = up(Duration::from_secs_f64((2.0 * p95).min(1e6))).max(1);
    let (seconds, decided_by) = if twice >= most {
        (most, Bound::Most)
    } else if twice < least {
        // What is asked for inside may be more than is allowed outside: the rules of a template then say so.
        (
            least.min(most),
            if least > most {
                Bound::Most
            } else {
                Bound::Least
            },
        )
    } else {
        (twice, Bound::TwiceP95)
    };
    Timeout {
        seconds,
        twice_p95: 2.0 * p95,
        least,
        most,
        decided_by,
    }
}

/// Whole seconds, rounded up.
fn up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn provision(rate: f64, class: &Class, assumptions: &Assumptions) -> Provision {
    let needed = (rate * class.p95_ms / 1e3)
        .ceil()
        .clamp(1.0, f64::from(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 1 and the largest"
    )]
    let environments = needed as u32;
    Provision {
        rate,
        busy: rate * class.mean_ms / 1e3,
        environments,
        month_usd: assumptions
            .prices
            .provisioned_month(class.memory, environments),
    }
}

fn assumed(cpu: bool, memory: Option<f64>, assumptions: &Assumptions) -> Vec<String> {
    let mut found = vec![
        if cpu {
            "Every request computes as long as the average; what it does not compute it waits, and waits as long on Lambda."
        } else {
            "All of the time is computed, because the recording has no process_cpu_seconds_total: less memory is made to look worse than it is."
        }
        .to_owned(),
        format!(
            "Lambda's processor takes {} times as long as the one that was measured (--vcpu-factor).",
            assumptions.factor
        ),
        "A request computes on one processor, and an environment has one request at a time.".to_owned(),
        format!(
            "Billed is the average, as whole milliseconds; prices of {}: {} USD a GB-second, {} USD a million requests, {} USD a GB-second kept ready ({}).",
            if assumptions.prices == Prices::of(assumptions.architecture) { super::price::READ } else { "the command line" },
            assumptions.prices.gb_second,
            assumptions.prices.million_requests,
            assumptions.prices.provisioned_gb_second,
            assumptions.architecture.name(),
        ),
        "Cold starts, and what they are billed for, are left out.".to_owned(),
    ];
    if memory.is_none() {
        found.push(
            "Every class has room, because the recording has no process_resident_memory_bytes."
                .to_owned(),
        );
    }
    if assumptions.target.is_none() {
        found.push(
            "A P95 of twice what one whole processor reaches is good enough (--target).".to_owned(),
        );
    }
    if assumptions.rate.is_none() {
        found.push("Nothing is said of provisioned concurrency, because no rate of arrivals is known (--rate).".to_owned());
    }
    found
}
