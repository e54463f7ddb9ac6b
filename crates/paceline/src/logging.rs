//! Where log lines go and how they look.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What chooses the lines.
const VARIABLE: &str = "PACELINE_LOG";

/// Starts logging to standard error: text on a terminal, JSON otherwise. `PACELINE_LOG` chooses what, such as `debug` or
/// `paceline=debug,warn`; the default is `info`, and so is what cannot be read, which is said in the first line.
///
/// A second call does nothing.
pub fn start() {
    let chosen = std::env::var(VARIABLE).ok();
    let read = chosen.as_deref().map_or(Ok(usual()), parse);
    let filter = read.clone().unwrap_or_else(|_| usual());
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // An error only says that logging was started before.
    let started = if std::io::stderr().is_terminal() {
        registry.with(lines).try_init()
    } else {
        registry.with(lines.json()).try_init()
    };
    if let (Ok(()), Err(mistake)) = (started, read) {
        tracing::warn!("{mistake}");
    }
}

fn usual() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

/// `level` and `target=level`, by comma.
fn parse(text: &str) -> Result<Targets, String> {
    text.parse().map_err(|_| {
        format!(
            "{VARIABLE} is not a level (error, warn, info, debug, trace) or a list such as paceline=debug,warn: \
             info is used"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_chosen_for_all_or_by_crate() {
        let filter = parse("paceline=debug,warn").unwrap();
        assert!(filter.would_enable("paceline::server", &tracing::Level::DEBUG));
        assert!(filter.would_enable("hyper", &tracing::Level::WARN));
        assert!(!filter.would_enable("hyper", &tracing::Level::INFO));
        assert!(parse("off").is_ok());
        assert!(parse("paceline=loud").unwrap_err().contains(VARIABLE));
    }
}
