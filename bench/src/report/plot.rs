//! Bars as SVG, light or dark as the reader's page is.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 230.0;
const BAR: f64 = 26.0;
const STEP: f64 = 36.0;
const TOP: f64 = 44.0;

/// One horizontal bar for each of `bars`, the highest first, with its value written at its end.
pub(super) fn bars(title: &str, bars: &[(String, f64)]) -> String {
    let height = bars.iter().fold(TOP, |height, _| height + STEP) + 8.0;
    let highest = bars
        .iter()
        .map(|bar| bar.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n\
         <style>text{{font:14px sans-serif;fill:#222}}.bar{{fill:#8a94a6}}.ours{{fill:#1769e0}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}}}</style>\n\
         <text x=\"8\" y=\"26\" font-weight=\"bold\">{}</text>\n",
        escaped(title),
        escaped(title),
    );
    let mut top = TOP;
    for (name, value) in bars {
        let length = (WIDTH - LEFT - 90.0) * value / highest;
        let class = if name.starts_with("Paceline") {
            "ours"
        } else {
            "bar"
        };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"3\"/>\
             <text x=\"{:.1}\" y=\"{}\">{value:.0}</text>",
            LEFT - 8.0,
            top + 18.0,
            escaped(name),
            LEFT + length + 6.0,
            top + 18.0,
        );
        top += STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_highest_value() {
        let svg = bars(
            "a<b",
            &[("Paceline".to_owned(), 400.0), ("other".to_owned(), 100.0)],
        );
        assert!(
            svg.contains("class=\"ours\" x=\"230\" y=\"44\" width=\"400.0\""),
            "{svg}"
        );
        assert!(
            svg.contains("class=\"bar\" x=\"230\" y=\"80\" width=\"100.0\""),
            "{svg}"
        );
        assert!(svg.contains("a&lt;b") && !svg.contains("a<b"));
    }
}
