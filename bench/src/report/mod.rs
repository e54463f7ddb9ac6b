//! `bench/REPORT.md` and its plots, written from the results alone.

mod plot;
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
        std::fs::write(&path, plot::bars(row, &bars(results, row)))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let path = places::bench("REPORT.md");
    let notes = std::fs::read_to_string(places::bench("NOTES.md")).unwrap_or_default();
    std::fs::write(&path, text::report(results, &notes))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("bench/REPORT.md written");
    Ok(())
}

fn bars(results: &Results, row: &str) -> Vec<(String, f64)> {
    let contenders = results.loads[row].keys();
    let mut bars: Vec<_> = contenders
        .filter_map(|name| Some((name.clone(), results.rate(row, name)?)))
        .collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    bars
}
