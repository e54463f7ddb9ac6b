//! What was measured: kept as JSON, so that the report can be written again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::load::Sample;
use crate::machine::Machine;
use crate::options::Options;
use crate::{Outcome, places};

const FILE: &str = "results/latest.json";

/// Everything of one `cargo xtask bench`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Results {
    /// Where and when.
    pub(crate) machine: Machine,
    /// Seconds of load for each contender and run.
    pub(crate) seconds: u64,
    /// Runs.
    pub(crate) runs: usize,
    /// How long each row of loads was measured; those measured together lately as above.
    #[serde(default)]
    pub(crate) lengths: BTreeMap<String, Length>,
    /// Loads: row, then contender, then one sample a run.
    pub(crate) loads: BTreeMap<String, BTreeMap<String, Vec<Sample>>>,
    /// Jobs a second: row, then contender, then one a run.
    #[serde(default)]
    pub(crate) speeds: BTreeMap<String, BTreeMap<String, Vec<Speed>>>,
    /// Single figures by name, one value a run.
    pub(crate) figures: BTreeMap<String, Vec<f64>>,
}

/// How long a row was measured.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Length {
    /// Seconds of load for each contender and run.
    pub(crate) seconds: u64,
    /// Runs.
    pub(crate) runs: usize,
}

/// Jobs a second, and what an answer promised meanwhile.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Speed {
    /// Jobs a second.
    pub(crate) rate: f64,
    /// How durable.
    pub(crate) durability: String,
}

impl Results {
    /// Nothing measured yet.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            machine: Machine::this(),
            seconds: options.seconds,
            runs: options.runs,
            lengths: BTreeMap::new(),
            loads: BTreeMap::new(),
            speeds: BTreeMap::new(),
            figures: BTreeMap::new(),
        }
    }

    /// Those of `bench/results/latest.json`.
    pub(crate) fn read() -> Outcome<Self> {
        let text = std::fs::read_to_string(places::bench(FILE))
            .map_err(|error| format!("bench/{FILE}: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("bench/{FILE}: {error}"))
    }

    /// Writes `bench/results/latest.json`. Rows that were not measured this time keep their last results.
    pub(crate) fn write(&mut self) -> Outcome<()> {
        let (seconds, runs) = (self.seconds, self.runs);
        for row in self.loads.keys() {
            self.lengths.insert(row.clone(), Length { seconds, runs });
        }
        if let Ok(before) = Self::read() {
            let (seconds, runs) = (before.seconds, before.runs);
            for (row, samples) in before.loads {
                let length = before.lengths.get(&row).copied();
                let length = length.unwrap_or(Length { seconds, runs });
                self.lengths.entry(row.clone()).or_insert(length);
                self.loads.entry(row).or_insert(samples);
            }
            for (row, speeds) in before.speeds {
                self.speeds.entry(row).or_insert(speeds);
            }
            for (name, values) in before.figures {
                self.figures.entry(name).or_insert(values);
            }
        }
        let path = places::bench(FILE);
        let text = serde_json::to_string_pretty(self).expect("maps with text keys") + "\n";
        std::fs::create_dir_all(path.parent().expect("a folder within bench"))
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Keeps one sample.
    pub(crate) fn load(&mut self, row: &str, contender: &str, sample: Sample) {
        println!(
            "{row:<16} {contender:<24} {:>10.0}/s  p50 {:>8.2} ms  p99 {:>8.2} ms  failed {}",
            sample.rate, sample.p50, sample.p99, sample.failed
        );
        self.loads
            .entry(row.into())
            .or_default()
            .entry(contender.into())
            .or_default()
            .push(sample);
    }

    /// Keeps one rate of jobs.
    pub(crate) fn speed(&mut self, row: &str, contender: &str, speed: Speed) {
        println!("{row:<16} {contender:<24} {:>10.0}/s", speed.rate);
        self.speeds
            .entry(row.into())
            .or_default()
            .entry(contender.into())
            .or_default()
            .push(speed);
    }

    /// Keeps one figure.
    pub(crate) fn figure(&mut self, name: &str, value: f64) {
        println!("{name:<41} {value:>10.2}");
        self.figures.entry(name.into()).or_default().push(value);
    }

    /// The median rate of a contender in a row.
    pub(crate) fn rate(&self, row: &str, contender: &str) -> Option<f64> {
        self.middle(row, contender, |sample| sample.rate)
    }

    /// Who was loaded in a row.
    pub(crate) fn contenders(&self, row: &str) -> impl Iterator<Item = &str> {
        let samples = self.loads.get(row).into_iter().flatten();
        samples.map(|(contender, _)| contender.as_str())
    }

    /// The median rate of jobs of a contender in a row.
    pub(crate) fn jobs(&self, row: &str, contender: &str) -> Option<f64> {
        let speeds = self.speeds.get(row)?.get(contender)?;
        median(speeds.iter().map(|speed| speed.rate).collect())
    }

    /// The median over the runs of one part of the samples.
    pub(crate) fn middle(
        &self,
        row: &str,
        contender: &str,
        part: impl Fn(&Sample) -> f64,
    ) -> Option<f64> {
        let samples = self.loads.get(row)?.get(contender)?;
        median(samples.iter().map(part).collect())
    }

    /// The median of a figure.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        median(self.figures.get(name)?.clone())
    }
}

/// The middle value; of an even number, the lower of the two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)? / 2;
    values.get(middle).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_taken() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0, 5.0], Some(5.0)),
            (vec![4.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values), expected);
        }
    }
}
