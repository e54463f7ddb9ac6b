//! What a server's `/metrics` says, in the text format of Prometheus.

use std::collections::BTreeMap;

use super::histogram::{Histogram, NotComparable};

const DURATIONS: &str = "http_request_duration_seconds";
const CPU: &str = "process_cpu_seconds_total";
const MEMORY: &str = "process_resident_memory_bytes";

/// Routes that say nothing of a function's requests: a stream lasts as long as its client listens, and probes of health
/// are not what is paid for.
pub const LEFT_OUT: [&str; 2] = ["health", "stream"];

/// One page of metrics, or the difference of two.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Recording {
    /// Latencies by route.
    pub routes: BTreeMap<String, Histogram>,
    /// Seconds that the process computed.
    pub cpu: Option<f64>,
    /// Bytes of memory that the process has.
    pub memory: Option<f64>,
}

/// The text is no page of metrics that budgets can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// A line cannot be read.
    #[error("line {0} is not in the text format of Prometheus: {1:?}")]
    Line(usize, String),
    /// There are no latencies.
    #[error("it has no {DURATIONS}: take /metrics of the admin listener of a paceline server")]
    NoDurations,
    /// Buckets of one route contradict each other.
    #[error("the buckets of {DURATIONS} for the route {0:?} do not ascend, or +Inf is missing")]
    Buckets(String),
}

/// A line's name, labels and value.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: f64,
}

/// The buckets of one route while they are collected.
#[derive(Default)]
struct Buckets {
    upto: Vec<(f64, f64)>,
    sum: f64,
}

impl Recording {
    /// Reads a page.
    pub fn read(page: &str) -> Result<Self, Unreadable> {
        let mut recording = Self::default();
        let mut routes: BTreeMap<String, Buckets> = BTreeMap::new();
        for (index, line) in page.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || Unreadable::Line(index + 1, line.chars().take(80).collect());
            let sample = sample(line).ok_or_else(wrong)?;
            let label = |name| sample.labels.iter().find(|l| l.0 == name).map(|l| l.1);
            let route = || label("route").unwrap_or("all").to_owned();
            match sample.name.strip_prefix(DURATIONS) {
                Some("_bucket") => {
                    let bound = label("le").and_then(number).ok_or_else(wrong)?;
                    routes
                        .entry(route())
                        .or_default()
                        .upto
                        .push((bound, sample.value));
                }
                Some("_sum") => routes.entry(route()).or_default().sum = sample.value,
                _ if sample.name == CPU => recording.cpu = Some(sample.value),
                _ if sample.name == MEMORY => recording.memory = Some(sample.value),
                _ => {}
            }
        }
        for (route, buckets) in routes {
            let histogram = Histogram::new(buckets.upto, buckets.sum)
                .ok_or_else(|| Unreadable::Buckets(route.clone()))?;
            recording.routes.insert(route, histogram);
        }
        if recording.routes.is_empty() {
            return Err(Unreadable::NoDurations);
        }
        Ok(recording)
    }

    /// What came after an earlier page of the same server.
    pub fn since(&self, earlier: &Self) -> Result<Self, NotComparable> {
        let mut routes = BTreeMap::new();
        for (route, late) in &self.routes {
            let left = match earlier.routes.get(route) {
                Some(early) => late.since(early)?,
                None => late.clone(),
            };
            routes.insert(route.clone(), left);
        }
        let cpu = match (self.cpu, earlier.cpu) {
            (Some(late), Some(early)) if late < early => return Err(NotComparable::Restarted),
            (Some(late), Some(early)) => Some(late - early),
            (late, _) => late,
        };
        Ok(Self {
            routes,
            cpu,
            memory: self.memory,
        })
    }

    /// Latencies of all routes that count, together.
    pub fn requests(&self) -> Result<Histogram, NotComparable> {
        let mut routes = self
            .routes
            .iter()
            .filter(|(route, _)| !LEFT_OUT.contains(&route.as_str()));
        let Some((_, first)) = routes.next() else {
            return Ok(Histogram::default());
        };
        routes.try_fold(first.clone(), |all, (_, next)| all.with(next))
    }

    /// How many requests there were of all routes, those that are left out among them: all of them computed.
    pub fn all_requests(&self) -> f64 {
        self.routes.values().map(Histogram::count).sum()
    }
}

/// Reads `name{label="value",...} number [time]`.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_whitespace();
    let value = words.next().and_then(number)?;
    let has_name = !name.is_empty();
    (has_name && words.count() <= 1).then_some(Sample {
        name,
        labels,
        value,
    })
}

/// The labels, and what follows their brace. Values keep their escapes: those that matter here have none.
fn labels(mut rest: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, after));
        }
        let (name, value) = rest.split_once("=\"")?;
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        found.push((name.trim(), &value[..end]));
        rest = &value[end + 1..];
    }
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP x\nhttp_request_duration_seconds_bucket{route=\"list\",le=\"0.1\"} 3\n\
        http_request_duration_seconds_bucket{route=\"list\",le=\"+Inf\"} 4\n\
        http_request_duration_seconds_sum{route=\"list\"} 1.5\nhttp_request_duration_seconds_count{route=\"list\"} 4\n\
        http_request_duration_seconds_bucket{route=\"health\",le=\"0.1\"} 9\n\
        http_request_duration_seconds_bucket{route=\"health\",le=\"+Inf\"} 9\n\
        process_cpu_seconds_total 0.25\nprocess_resident_memory_bytes 2.5e7\nother{a=\"}\\\"\",b=\"\"} 1 1700000000\n";

    #[test]
    fn a_page_is_read() {
        let recording = Recording::read(PAGE).expect("a page");
        assert_eq!((recording.cpu, recording.memory), (Some(0.25), Some(2.5e7)));
        let requests = recording.requests().expect("one route");
        assert!((requests.count() - 4.0).abs() < 1e-12 && (requests.mean() - 0.375).abs() < 1e-12);
        assert!((recording.all_requests() - 13.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (page, expected) in [
            ("", "it has no http_request_duration_seconds"),
            ("a 1\n\nb{c=\"d} 2", "line 3"),
            ("a x", "line 1"),
            ("a 1 2 3", "line 1"),
            ("<html>", "line 1"),
            (
                "http_request_duration_seconds_bucket{route=\"one\",le=\"0.1\"} 3",
                "\"one\"",
            ),
            (
                "http_request_duration_seconds_bucket{route=\"one\"} 3",
                "line 1",
            ),
        ] {
            let found = Recording::read(page).expect_err(page).to_string();
            assert!(found.contains(expected), "{page}: {found}");
        }
    }

    #[test]
    fn the_time_between_two_pages_is_their_difference() {
        let early = Recording::read(PAGE).expect("a page");
        let late = Recording::read(
            &PAGE
                .replace("} 3\n", "} 13\n")
                .replace("} 4\n", "} 14\n")
                .replace("0.25", "1.25"),
        )
        .expect("a page");
        let left = late.since(&early).expect("later");
        assert_eq!(left.cpu, Some(1.0));
        assert!((left.all_requests() - 10.0).abs() < 1e-12);
        assert_eq!(early.since(&late), Err(NotComparable::Restarted));
    }
}
