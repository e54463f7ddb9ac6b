//! Where log lines go and how they look.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error: text on a terminal, JSON otherwise. `PACELINE_LOG` chooses what,
/// such as `debug` or `paceline=debug,warn`; the default is `info`, and so is what cannot be read.
///
/// A second call does nothing.
pub fn start() {
    let filter = std::env::var("PACELINE_LOG")
        .ok()
        .and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // An error only says that logging was started before.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().try_init()
    };
}
