//! `bench/REPORT.md` and its plots, written from the results alone.

mod about;
mod mariadb;
mod plot;
mod pools;
mod target;
mod text;

use crate::results::Results;
use crate::{Outcome, places};

/// Writes the report and one plot for each row.
pub(crate) fn write(results: &Results) -> Outcome<()> {
    let plots = places::bench("plots");
    std::fs::create_dir_all(&plots).map_err(|error| format!("{}: {error}", plots.display()))?;
    for row in results.loads.keys() {
        let path = plots.join(format!("{row}.svg"));
        let title = format!("{row}: answers a second");
        let bars = bars(results.loads[row].keys(), |name| results.rate(row, name));
        std::fs::write(&path, plot::bars(&title, &bars))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for row in results.speeds.keys() {
        let path = plots.join(format!("{row}.svg"));
        let title = format!("{row}: jobs a second");
        let bars = bars(results.speeds[row].keys(), |name| results.jobs(row, name));
        std::fs::write(&path, plot::bars(&title, &bars))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let path = places::bench("REPORT.md");
    let notes = std::fs::read_to_string(places::bench("NOTES.md")).unwrap_or_default();
    std::fs::write(&path, text::report(results, &notes))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("bench/REPORT.md written");
    Ok(())
}

/// Each contender that has a rate, the best first.
fn bars<'a>(
    contenders: impl Iterator<Item = &'a String>,
    rate: impl Fn(&str) -> Option<f64>,
) -> Vec<(String, f64)> {
    let mut bars: Vec<_> = contenders
        .filter_map(|name| Some((name.clone(), rate(name)?)))
        .collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    bars
}
