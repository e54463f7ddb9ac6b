//! Telling a server to stop what runs on a connection.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};
use tokio::time::timeout;

/// How long one attempt may take, connecting included.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How often it is tried: the server may have as many connections as it takes just then.
const ATTEMPTS: u32 = 3;

/// Tells it on a connection of its own. A statement that is over by then is none the worse: the connection it ran on
/// has been given up, and its number is not used again.
pub(super) async fn send(opts: Opts, id: u64) {
    for attempt in 0..ATTEMPTS {
        match timeout(ATTEMPT, once(opts.clone(), id)).await {
            // There is no such thread: it ended by itself.
            Ok(Ok(()) | Err(mysql_async::Error::Server(_))) => return,
            Ok(Err(error)) => tracing::debug!(%error, attempt, "a statement could not be stopped"),
            Err(_) => tracing::debug!(attempt, "a statement could not be stopped in time"),
        }
    }
    tracing::warn!("a statement was given up, but the server could not be told to stop it");
}

async fn once(opts: Opts, id: u64) -> Result<(), mysql_async::Error> {
    let mut connection = match Conn::new(opts).await {
        // Too many connections is for the next attempt.
        Err(mysql_async::Error::Server(error)) => {
            return Err(mysql_async::Error::Other(error.to_string().into()));
        }
        connection => connection?,
    };
    connection.query_drop(format!("KILL QUERY {id}")).await?;
    connection.disconnect().await
}
