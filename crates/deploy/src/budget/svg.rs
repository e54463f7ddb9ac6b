//! The classes as a picture: latencies as lines, the price as bars.

use std::fmt::Write as _;

use super::advice::{Advice, Class};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 370.0;

const STYLE: &str = "text{font:13px sans-serif;fill:#222}.t{font-size:16px;font-weight:bold}.a{fill:#666}\
    .bar{fill:#dfe5ee}.here{fill:#f2d9a0}.grid{stroke:#ddd}.p50{stroke:#3a7d44;fill:#3a7d44}\
    .p95{stroke:#1f4e9e;fill:#1f4e9e}.p99{stroke:#b03a2e;fill:#b03a2e}polyline{fill:none!important;stroke-width:2}";

/// An SVG document.
pub fn plot(advice: &Advice) -> String {
    let mut svg = String::new();
    // A string takes everything.
    let _ = draw(&mut svg, advice);
    svg
}

/// Where a class stands from left to right.
fn across(index: usize, count: usize) -> f64 {
    let place = u32::try_from(index).map_or(0.0, f64::from) + 0.5;
    LEFT + (RIGHT - LEFT) * place / u32::try_from(count).map_or(1.0, f64::from)
}

/// Where a share of the height ends.
fn up(share: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * share
}

/// The next of 1, 2, 2.5, 5, 10 times a power of ten.
fn rounded(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value)
        .unwrap_or(10.0 * power)
}

fn draw(svg: &mut String, advice: &Advice) -> std::fmt::Result {
    let classes = &advice.classes;
    let most = |of: fn(&Class) -> f64| rounded(classes.iter().map(of).fold(0.0, f64::max));
    let (slowest, dearest) = (most(|class| class.p99_ms), most(|class| class.million_usd));
    write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\
         <title>Latency and price by memory</title><style>{STYLE}</style>\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
         <text class=\"t\" x=\"{LEFT}\" y=\"26\">Latency (lines) and price (bars) by memory</text>\
         <text x=\"{LEFT}\" y=\"46\" class=\"a\">ms</text>\
         <text x=\"{RIGHT}\" y=\"46\" class=\"a\" text-anchor=\"end\">USD a million requests</text>"
    )?;
    axes(svg, slowest, dearest)?;
    for (index, class) in classes.iter().enumerate() {
        let chosen = class.memory == advice.memory;
        bar(svg, class, across(index, classes.len()), dearest, chosen)?;
    }
    for (name, of) in [
        ("p50", (|class| class.p50_ms) as fn(&Class) -> f64),
        ("p95", |class| class.p95_ms),
        ("p99", |class| class.p99_ms),
    ] {
        line(svg, name, classes, &|class| of(class) / slowest)?;
    }
    legend(svg, advice)?;
    svg.push_str("</svg>\n");
    Ok(())
}

fn axes(svg: &mut String, slowest: f64, dearest: f64) -> std::fmt::Result {
    for step in 0..=4_u32 {
        let share = f64::from(step) / 4.0;
        let (y, ms, usd) = (up(share), slowest * share, dearest * share);
        write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"a\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <text class=\"a\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            short(ms),
            RIGHT + 8.0,
            y + 4.0,
            short(usd),
        )?;
    }
    Ok(())
}

/// As many digits as tell the steps of an axis apart.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bar(svg: &mut String, class: &Class, x: f64, dearest: f64, chosen: bool) -> std::fmt::Result {
    let y = up(class.million_usd / dearest);
    write!(
        svg,
        "<rect class=\"bar{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"60\" height=\"{:.1}\"/>\
         <text text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{} MB</text>\
         <text class=\"a\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">${:.4}</text>",
        if chosen { " here" } else { "" },
        x - 30.0,
        BOTTOM - y,
        BOTTOM + 18.0,
        class.memory,
        BOTTOM + 36.0,
        class.million_usd,
    )
}

fn line(
    svg: &mut String,
    name: &str,
    classes: &[Class],
    share: &dyn Fn(&Class) -> f64,
) -> std::fmt::Result {
    let places: Vec<(f64, f64)> = classes
        .iter()
        .enumerate()
        .map(|(index, class)| (across(index, classes.len()), up(share(class))))
        .collect();
    let points: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    write!(
        svg,
        "<polyline class=\"{name}\" points=\"{}\"/>",
        points.join(" ")
    )?;
    for (x, y) in places {
        write!(
            svg,
            "<circle class=\"{name}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
        )?;
    }
    Ok(())
}

fn legend(svg: &mut String, advice: &Advice) -> std::fmt::Result {
    let y = HEIGHT - 10.0;
    for (name, x) in [("p50", LEFT), ("p95", LEFT + 70.0), ("p99", LEFT + 140.0)] {
        write!(
            svg,
            "<circle class=\"{name}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"5\"/><text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            y - 4.0,
            x + 10.0,
            name.to_uppercase(),
        )?;
    }
    write!(
        svg,
        "<text x=\"{RIGHT}\" y=\"{y:.1}\" text-anchor=\"end\">Recommended: {} MB, timeout {} s</text>",
        advice.memory, advice.timeout.seconds
    )
}
