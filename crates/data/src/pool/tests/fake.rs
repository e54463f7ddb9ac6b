//! Connections that do what the test says.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::Manage;

/// How an attempt to connect, or a check, ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Well,
    /// With an error that may pass.
    Busy,
    /// With an error that will not.
    Refused,
    Never,
}

/// What the test prepares, and sees.
#[derive(Debug, Default)]
pub(super) struct World {
    /// How the next attempts to connect end; after them, all end well.
    pub(super) connects: Mutex<VecDeque<Ends>>,
    /// Likewise the next checks.
    pub(super) checks: Mutex<VecDeque<Ends>>,
    pub(super) attempts: AtomicUsize,
    pub(super) checked: AtomicUsize,
    /// Connections that stand.
    pub(super) standing: AtomicUsize,
    /// The most that ever stood at once.
    pub(super) most: AtomicUsize,
    pub(super) closed_politely: AtomicUsize,
}

impl World {
    pub(super) fn connects(&self, ends: &[Ends]) {
        self.connects.lock().unwrap().extend(ends);
    }

    pub(super) fn checks(&self, ends: &[Ends]) {
        self.checks.lock().unwrap().extend(ends);
    }
}

/// Opens [`Connection`]s.
#[derive(Debug, Clone, Default)]
pub(super) struct Fake(pub(super) Arc<World>);

/// A connection with a number; the first is 1.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) number: usize,
    pub(super) broken: AtomicBool,
    pub(super) news: Arc<AtomicBool>,
    world: Arc<World>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.world.standing.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure(Ends);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Failure {}

async fn end(ends: Ends) -> Result<(), Failure> {
    // Something else may happen in between, as with a real server.
    tokio::task::yield_now().await;
    match ends {
        Ends::Well => Ok(()),
        Ends::Never => std::future::pending().await,
        Ends::Busy | Ends::Refused => Err(Failure(ends)),
    }
}

impl Manage for Fake {
    type Connection = Connection;
    type Error = Failure;

    async fn connect(&self, _deadline: Instant) -> Result<Connection, Failure> {
        let number = self.0.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        let ends = self.0.connects.lock().unwrap().pop_front();
        end(ends.unwrap_or(Ends::Well)).await?;
        let standing = self.0.standing.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(standing, Ordering::SeqCst);
        Ok(Connection {
            number,
            broken: AtomicBool::new(false),
            news: Arc::default(),
            world: Arc::clone(&self.0),
        })
    }

    async fn check(&self, _connection: &mut Connection) -> Result<(), Failure> {
        self.0.checked.fetch_add(1, Ordering::SeqCst);
        let ends = self.0.checks.lock().unwrap().pop_front();
        end(ends.unwrap_or(Ends::Well)).await
    }

    fn is_open(&self, connection: &Connection) -> bool {
        !connection.broken.load(Ordering::SeqCst)
    }

    fn has_news(&self, connection: &Connection) -> bool {
        connection.news.load(Ordering::SeqCst)
    }

    fn may_pass(&self, error: &Failure) -> bool {
        error.0 == Ends::Busy
    }

    async fn close(&self, connection: Connection) {
        tokio::task::yield_now().await;
        drop(connection);
        self.0.closed_politely.fetch_add(1, Ordering::SeqCst);
    }
}
