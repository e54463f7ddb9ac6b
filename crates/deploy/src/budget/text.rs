//! Advice for people.

use std::fmt::Write as _;

use super::advice::{Advice, Bound};

/// The report.
pub fn report(advice: &Advice) -> String {
    let mut text = String::new();
    // A string takes everything.
    let _ = write(&mut text, advice);
    text
}

fn write(text: &mut String, advice: &Advice) -> std::fmt::Result {
    let [mean, p50, p95, p99] = advice.wall_ms;
    writeln!(text, "Measured: {} requests", advice.requests)?;
    writeln!(
        text,
        "  wall   mean {mean:.3} ms, P50 {p50:.3}, P95 {p95:.3}, P99 {p99:.3}"
    )?;
    let unmeasured = if advice.cpu_measured {
        ""
    } else {
        " (not measured: all of it)"
    };
    writeln!(text, "  cpu    mean {:.3} ms{unmeasured}", advice.cpu_ms)?;
    match advice.memory_mb {
        Some(memory) => writeln!(text, "  memory {memory:.1} MB")?,
        None => writeln!(text, "  memory not measured")?,
    }
    writeln!(
        text,
        "\n  MB     mean ms     P50     P95     P99   USD/million"
    )?;
    for class in &advice.classes {
        writeln!(
            text,
            "{:>4} {:>11.3} {:>7.3} {:>7.3} {:>7.3} {:>13.4}  {}{}{}",
            class.memory,
            class.mean_ms,
            class.p50_ms,
            class.p95_ms,
            class.p99_ms,
            class.million_usd,
            class.usual_for,
            if class.fits {
                ""
            } else {
                ", too little memory"
            },
            if class.memory == advice.memory {
                "  <- this one"
            } else {
                ""
            },
        )?;
    }
    recommendation(text, advice)?;
    writeln!(text, "\nAssumed:")?;
    advice
        .assumed
        .iter()
        .try_for_each(|line| writeln!(text, "  {line}"))
}

fn recommendation(text: &mut String, advice: &Advice) -> std::fmt::Result {
    let why = if advice.target_met {
        "the cheapest with"
    } else {
        "no class reaches"
    };
    writeln!(
        text,
        "\nMemory       {} MB: {why} a P95 of at most {:.3} ms",
        advice.memory, advice.target_p95_ms
    )?;
    let timeout = &advice.timeout;
    let why = match timeout.decided_by {
        Bound::TwiceP95 => "twice the P95".to_owned(),
        Bound::Least => format!(
            "twice the P95 is {:.3} s, but an initialisation, a wait for a connection, a query and the margin must fit in",
            timeout.twice_p95
        ),
        Bound::Most => format!(
            "one second below what stands before it, {} s",
            timeout.most + 1
        ),
    };
    writeln!(text, "Timeout      {} s: {why}", timeout.seconds)?;
    match &advice.provisioned {
        Some(provision) => writeln!(
            text,
            "Provisioned  {}: {} requests a second times the P95; on average {:.3} are busy; {:.2} USD a month",
            provision.environments, provision.rate, provision.busy, provision.month_usd
        ),
        None => writeln!(
            text,
            "Provisioned  unknown: say how many requests arrive a second (--rate)"
        ),
    }
}
