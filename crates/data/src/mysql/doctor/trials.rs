//! What is tried.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio::time::timeout;

use super::super::connect::{Address, MySqlConnection, MySqlManager};
use super::{CannotExamine, Facts};
use crate::pool::Manage as _;

/// How often a round trip is measured.
const ROUND_TRIPS: u32 = 5;
/// How long the statement runs that is to be stopped, in seconds, and how soon it must be over.
const SLEEP: u32 = 5;
const STOPPED: Duration = Duration::from_secs(2);
const BOUNDS: &str = "SELECT @@read_only, @@max_connections, @@wait_timeout";

pub(super) async fn all(address: &Address, deadline: Instant) -> Result<Facts, CannotExamine> {
    let manager = MySqlManager::new(address.clone())?;
    let began = Instant::now();
    let mut connection = manager.connect(deadline).await?;
    let connect = began.elapsed();
    let round_trip = round_trip(&mut connection).await?;
    let seven = connection
        .driver()
        .exec_first::<i64, _, _>("SELECT ?", (7,));
    let prepares = matches!(seven.await, Ok(Some(7)));
    let bounds = connection.driver().query_first(BOUNDS).await?;
    let (is_read_only, max_connections, wait_timeout): (Option<i64>, Option<u64>, Option<u64>) =
        bounds.unwrap_or_default();
    let is_direct = connection.is_direct();
    let kills = if is_direct {
        Some(kills(&manager, deadline).await?)
    } else {
        None
    };
    let facts = Facts {
        session: connection.session().clone(),
        is_direct,
        is_rds_proxy: address.host().is_rds_proxy(),
        is_read_only: is_read_only == Some(1),
        encryption: address.encryption().clone(),
        is_local: address.host().is_local(),
        connect,
        round_trip,
        prepares,
        kills,
        max_connections,
        wait_timeout: wait_timeout.map(Duration::from_secs),
    };
    manager.close(connection).await;
    Ok(facts)
}

async fn round_trip(connection: &mut MySqlConnection) -> Result<Duration, mysql_async::Error> {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        connection.driver().ping().await?;
        shortest = shortest.min(began.elapsed());
    }
    Ok(shortest)
}

/// Whether a statement is over soon when its connection was given up: what a client who leaves comes to.
async fn kills(manager: &MySqlManager, deadline: Instant) -> Result<bool, CannotExamine> {
    let mut victim = manager.connect(deadline).await?;
    let id = victim.session().connection_id;
    let sleeping = victim.driver().query_drop(format!("DO SLEEP({SLEEP})"));
    // It is sent, and then left alone.
    let _ = timeout(Duration::from_millis(100), sleeping).await;
    manager.abandon(victim);
    let mut watcher = manager.connect(deadline).await?;
    let began = Instant::now();
    let running = format!("SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = {id}");
    let mut is_over = false;
    while !is_over && began.elapsed() < STOPPED {
        is_over = watcher.driver().query_first(running.as_str()).await? == Some(0);
    }
    manager.close(watcher).await;
    Ok(is_over)
}
