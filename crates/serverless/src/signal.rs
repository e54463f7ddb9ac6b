//! When to stop: the first SIGTERM or Ctrl-C.

use tokio::sync::watch;

use crate::runtime::Stop;

/// Becomes true with the first signal.
#[cfg(unix)]
pub(crate) fn stop() -> std::io::Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Nobody listens any more when this fails.
        let _ = sender.send(true);
        sender.closed().await;
    });
    Ok(stop)
}

/// Becomes true with the first signal.
#[cfg(not(unix))]
pub(crate) fn stop() -> std::io::Result<Stop> {
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = sender.send(true);
        }
        sender.closed().await;
    });
    Ok(stop)
}
